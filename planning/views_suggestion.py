"""A schedule proposed for the next 90 days, and accepting its moves."""

from __future__ import annotations

from typing import Any, cast

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_date
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import Can
from devices.fields import row_ids
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from . import assumptions, results, undoing
from .models import Suggestion
from .proposal import WEIGHTS
from .selectors import what_if as selectors
from .services import suggestions

PAGE = 100
NAMES = {"present": "as it is", "first_come": "first come", "suggestion": "suggestion"}


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def suggestion(request: HttpRequest) -> HttpResponse:
    """The newest suggestion; POST works a new one out."""
    error: DomainError | None = None
    if request.method == "POST":
        try:
            given = assumptions.parse(request.POST)
            suggestions.make(
                actor=cast("User", request.user), given=given, now=timezone.now(), request=request
            )
        except DomainError as found:
            error = found
        else:
            return redirect("planning:suggestion")
    context = _context(request, selectors.latest_suggestion()) | {"error": error}
    status = status_of(error) if error else 200
    return render(request, "planning/suggestion.html", context, status=status)


def _context(request: HttpRequest, found: Suggestion | None) -> dict[str, Any]:
    given = assumptions.parse(found.assumptions if found else {})
    context: dict[str, Any] = {
        "found": found,
        "undo": undoing.kept(request),
        "fields": [
            {"name": name, "bounds": assumptions.BOUNDS[name], "value": getattr(given, name)}
            for name in ("engineers", "seed")
        ],
        "weights": WEIGHTS,
        "names": NAMES,
        "now": timezone.now(),
    }
    if found is None:
        return context
    page_obj = Paginator(found.moves, PAGE).get_page(request.GET.get("page"))
    page_obj.object_list = [
        each | {"day": parse_date(each["day"]), "to": parse_date(each["to"]),
                "made_on": parse_date(each["made_on"]) if each["made_on"] else None}
        for each in page_obj.object_list
    ]  # fmt: skip
    result = found.result
    tables = [
        results.rows(
            result["figures"]["present"], result["figures"][name], result["differences"][name]
        )
        for name in ("first_come", "suggestion")
    ]
    return context | {
        "page_obj": page_obj,
        "result": result,
        "rows": list(zip(*tables, strict=True)),
        "objective": [
            (term, *(result["objective"][name][term] for name in NAMES))
            for term in ("risk", "over", "late", "exams", "clash", "total")
        ],
        "can_accept": sum(1 for each in found.moves if each["order"] is not None),
    }


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Move the orders ticked, or all of them."""
    found = selectors.suggestion_or_error(pk)
    chosen = row_ids(request.POST.getlist("order"))
    if "all" in request.POST:
        chosen = [each["order"] for each in found.moves if each["order"] is not None]
    fates = suggestions.accept(
        actor=cast("User", request.user),
        suggestion=found,
        orders=chosen,
        now=timezone.now(),
        request=request,
    )
    undoing.remember(request, fates)
    return redirect("planning:suggestion")
