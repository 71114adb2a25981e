"""Maintenance: what is due, who does it, can I prove it? The list in its views, and downtime."""

from __future__ import annotations

from typing import Any, cast

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_safe

from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import Can, may

from . import machine_choice
from . import selectors_maintenance as selectors
from . import selectors_plans as plan_selectors
from .forms_maintenance import FilterForm, month_of
from .models.maintenance import OrderState
from .selectors_calendar import month
from .selectors_due import VIEWS, finished_late, late_after, shown

PAGE = 50
TABS = {
    "table": "Table",
    "board": "Board",
    "calendar": "Calendar",
    "plans": "Plans",
    "downtimes": "Downtime",
}


def actor(request: HttpRequest) -> User:
    """The signed-in person; `requires` let nobody else in."""
    return cast("User", request.user)


def rights(request: HttpRequest) -> dict[str, bool]:
    """Which buttons a page shows; the views refuse on their own."""
    return {
        "can_plan": may(request.user, Can.MAINTENANCE_PLAN),
        "can_work": may(request.user, Can.ORDER_WORK),
        "can_read_alerts": may(request.user, Can.ALERT_READ),
        "can_read_devices": may(request.user, Can.DEVICE_READ),
    }


def dated(orders: Any) -> Any:
    """Orders with what the template shows of their date; the same objects."""
    today = timezone.localdate()
    for order in orders:
        order.shown, order.late_after = shown(order, today), late_after(order)
        order.finished_late = finished_late(order)
    return orders


@requires(Can.MAINTENANCE_READ)
@require_safe
def maintenance(request: HttpRequest) -> HttpResponse:
    """The numbers, and below them one of five views."""
    today = timezone.localdate()
    tab = request.GET.get("view", "")
    tab = tab if tab in TABS else "table"
    chosen = machine_choice.narrowed(FilterForm(request.GET).chosen(), request.GET)
    context = {
        "tab": tab,
        "tabs": TABS,
        "chosen": chosen,
        "kpis": selectors.kpis(today),
        "views": {name: label for name, (label, _) in VIEWS.items()},
        "states": OrderState.choices,
        "machines": machine_choice.choices(),
        "workers": selectors.workers(),
        "today": today,
        "now": timezone.now(),
        "down_now": selectors.downtimes().filter(ends_at=None),
        **rights(request),
        **_BODY[tab](request, chosen),
    }
    return render(request, "devices/maintenance.html", context)


def _table(request: HttpRequest, chosen: selectors.OrderFilter) -> dict[str, Any]:
    found = selectors.order_table(
        chosen, ordering=request.GET.get("ordering", ""), today=timezone.localdate()
    )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    page.object_list = dated(list(page.object_list))
    return {"page_obj": page}


def _board(request: HttpRequest, chosen: selectors.OrderFilter) -> dict[str, Any]:
    columns = selectors.board(chosen, timezone.localdate())
    for column in columns:
        dated(column.cards)
    return {"columns": columns}


def _calendar(request: HttpRequest, chosen: selectors.OrderFilter) -> dict[str, Any]:
    today = timezone.localdate()
    found = month(chosen, month_of(request.GET.get("month", ""), today), today)
    for week in found.weeks:
        for day in week:
            dated(day.orders)
    return {"month": found}


def _plans(request: HttpRequest, chosen: selectors.OrderFilter) -> dict[str, Any]:
    found = plan_selectors.plans()
    if chosen.machine is not None:
        found = found.filter(device_id=chosen.machine)
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    statuses = plan_selectors.plan_statuses(page.object_list, timezone.localdate())
    return {"page_obj": page, "statuses": statuses}


def _downtimes(request: HttpRequest, chosen: selectors.OrderFilter) -> dict[str, Any]:
    found = selectors.downtimes()
    if chosen.machine is not None:
        found = found.filter(device_id=chosen.machine)
    return {"page_obj": Paginator(found, PAGE).get_page(request.GET.get("page"))}


_BODY = {
    "table": _table,
    "board": _board,
    "calendar": _calendar,
    "plans": _plans,
    "downtimes": _downtimes,
}


def back(request: HttpRequest, default: str, *args: Any) -> HttpResponse:
    """To the page that the form came from, where it is one of ours."""
    target = request.POST.get("next", "")
    # a word without a slash would be taken for a page's name
    if target.startswith("/") and url_has_allowed_host_and_scheme(
        target, allowed_hosts={request.get_host()}
    ):
        return redirect(target)
    return redirect(default, *args)
