"""Pages of recalls and their candidates."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can

from . import selectors
from .importing import recalls as table
from .services import recalls
from .views_base import PAGE, actor, csv_answer, rights, step

_SHOWS = {
    "": "to decide or to do",
    "all": "all",
}


@requires(Can.MAINTENANCE_READ)
@require_safe
def recall_list(request: HttpRequest) -> HttpResponse:
    """All notices, with what waits at each."""
    found = selectors.recalls()
    show = request.GET.get("show", "")
    if show != "all":
        waiting = selectors.TO_DECIDE | selectors.TO_DO
        open_ones = selectors.candidates().filter(waiting).order_by().values("recall")
        found = found.filter(pk__in=open_ones)
    context = {
        "page_obj": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "counts": selectors.recall_counts(),
        "show": show,
        "shows": _SHOWS,
        **rights(request),
    }
    return render(request, "inventory/recalls.html", context)


@requires(Can.MAINTENANCE_READ)
@require_safe
def recall_csv(request: HttpRequest) -> HttpResponseBase:
    """All notices in the plain layout."""
    return csv_answer(table.HEADER, table.rows(), "recalls")


@requires(Can.MAINTENANCE_READ)
@require_safe
def recall(request: HttpRequest, pk: int) -> HttpResponse:
    """One notice, and the machines that it may concern."""
    found = selectors.one(selectors.recalls(), pk, "recall_not_found")
    rows = selectors.candidates().filter(recall=found).prefetch_related("steps__by")
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {"recall": found, "page_obj": page, **rights(request)}
    return render(request, "inventory/recall.html", context)


def _decided(
    request: HttpRequest, pk: int, service: Callable[..., Any], said: str, **given: Any
) -> HttpResponse:
    found = selectors.one(selectors.candidates(), pk, "candidate_not_found")
    return step(
        request,
        lambda: service(candidate=found, actor=actor(request), request=request, **given),
        said=said,
        default="inventory:recall",
        pk=found.recall_id,
    )


def _reason(request: HttpRequest) -> dict[str, str]:
    return {"reason": request.POST.get("reason", "")[:1_000]}


@requires(Can.ORDER_WORK)
@require_POST
def candidate_confirm(request: HttpRequest, pk: int) -> HttpResponse:
    """It concerns this machine."""
    return _decided(
        request, pk, recalls.confirm, "Confirmed: make its work order.", **_reason(request)
    )


@requires(Can.ORDER_WORK)
@require_POST
def candidate_reject(request: HttpRequest, pk: int) -> HttpResponse:
    """It doesn't, and why."""
    return _decided(request, pk, recalls.reject, "Ruled out.", **_reason(request))


@requires(Can.ORDER_WORK)
@require_POST
def candidate_reopen(request: HttpRequest, pk: int) -> HttpResponse:
    """The decision was a mistake."""
    return _decided(
        request, pk, recalls.reopen, "It waits for a decision again.", **_reason(request)
    )


@requires(Can.ORDER_WORK)
@require_POST
def candidate_order(request: HttpRequest, pk: int) -> HttpResponse:
    """The work that it asks for."""
    return _decided(request, pk, recalls.make_order, "The work order is made.")
