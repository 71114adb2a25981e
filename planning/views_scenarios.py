"""Scenarios that were kept, and up to four of them side by side."""

from __future__ import annotations

from typing import cast

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import Can
from devices.fields import row_ids

from . import changes, results
from .assumptions import parse
from .models import Scenario
from .selectors import what_if as selectors
from .services import scenarios
from .views_what_if import address

PAGE = 25


@requires(Can.MAINTENANCE_PLAN)
@require_safe
def listed(request: HttpRequest) -> HttpResponse:
    """All that were kept; those chosen stand side by side."""
    chosen = row_ids(request.GET.getlist("scenario"))[: selectors.MOST_COMPARED]
    found = {each.pk: each for each in selectors.scenarios().filter(pk__in=chosen)}
    compared = [found[pk] for pk in dict.fromkeys(chosen) if pk in found]
    page_obj = Paginator(selectors.scenarios(), PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page_obj,
        "listed": [(each, _address(each)) for each in page_obj.object_list],
        "chosen": {each.pk for each in compared},
        "compared": [(each, _address(each)) for each in compared],
        "rows": _side_by_side(compared),
        "most": selectors.MOST_COMPARED,
        "now": timezone.now(),
    }
    return render(request, "planning/scenarios.html", context)


def _address(scenario: Scenario) -> str:
    listed = [changes.from_json(each) for each in scenario.changes]
    return address(listed, parse(scenario.assumptions), run=True)


def _side_by_side(compared: list[Scenario]) -> list[tuple[results.Row, list[results.Row]]]:
    """A row a figure: its name, and the row of each scenario."""
    tables = [
        results.rows(r["base"], r["scenario"], r["difference"])
        for r in (each.result for each in compared)
    ]
    return [(each[0], list(each)) for each in zip(*tables, strict=True)]


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Take one away."""
    found = selectors.scenario_or_error(pk)
    scenarios.delete(actor=cast("User", request.user), scenario=found, request=request)
    messages.success(request, f"Deleted: {found.name}.")
    return redirect("planning:scenarios")
