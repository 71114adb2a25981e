"""The figures page, the rows behind a number, its CSV, and when machines are needed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast
from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts import csvsafe
from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import Can, may
from devices import machine_choice
from devices.fields import row_ids
from devices.models import DeviceModel
from devices.selectors import alert_figures, twin
from devices.selectors.notifications import rooms
from twinhealth.errors import DomainError, NotFoundError

from . import cover
from . import selectors_figures as selectors
from .figures import DEFINITIONS, Sums
from .models import CoveredHours
from .services import covered_hours

PAGE = 50
HEADER = (
    "from", "to", "kind", "name", "machines", "covered_hours", "uptime_percent",
    "unplanned_hours", "partial_hours", "failures", "mtbf_hours", "restored", "mttr_hours",
    "due", "on_time", "on_time_percent",
)  # fmt: skip


def _first_id(text: str) -> int | None:
    return next(iter(row_ids([text])), None)


def asked(query: Any) -> tuple[alert_figures.Span, selectors.Chosen, str]:
    """Span, machines and grouping of an address.

    Raises:
        InvalidInputError: `bad_day`, `bad_span`.
    """
    start, last = (alert_figures.day(query.get(name, ""), name) for name in ("from", "to"))
    span = alert_figures.span_of(start, last, now=timezone.now())
    device = _first_id(query.get("machine", ""))
    chosen = selectors.Chosen(
        device=device if device is not None else machine_choice.named(query),
        room=query.get("room", "").replace("\0", "")[:64],
        model=_first_id(query.get("model", "")),
    )
    by = query.get("by", "")
    return span, chosen, by if by in selectors.GROUPS else "device"


def _query(span: alert_figures.Span, chosen: selectors.Chosen) -> dict[str, str]:
    found = {"from": span.start.isoformat(), "to": span.last.isoformat()}
    given = {"machine": chosen.device, "room": chosen.room, "model": chosen.model}
    return found | {name: str(value) for name, value in given.items() if value}


_KEYS = {"device": "machine", "room": "room", "model": "model"}


def _with_queries(page: selectors.Page, groups: Any, chosen: selectors.Chosen, by: str) -> Any:
    """Each group with the query of its own rows; a room without a name has no address."""
    base = _query(page.span, chosen)
    return [
        (group, urlencode(base | {_KEYS[by]: group.key}) if group.key else "") for group in groups
    ]


@requires(Can.MAINTENANCE_READ)
@require_safe
def figures(request: HttpRequest) -> HttpResponse:
    """Uptime, MTBF, MTTR and work in time, of a period."""
    span, chosen, by = asked(request.GET)
    now = timezone.now()
    found = selectors.page(span, chosen, by=by, now=now)
    page_obj = Paginator(found.groups, PAGE).get_page(request.GET.get("page"))
    context = {
        "page": found,
        "page_obj": page_obj,
        "groups": _with_queries(found, page_obj.object_list, chosen, by),
        "kinds": selectors.GROUPS,
        "by": by,
        "chosen": chosen,
        "query": urlencode(_query(span, chosen)),
        "definitions": DEFINITIONS,
        "rooms": rooms(),
        "machines": machine_choice.choices(),
        "models": DeviceModel.objects.order_by("manufacturer", "name"),
        "now": now,
    }
    return render(request, "maintenance/figures.html", context)


@requires(Can.MAINTENANCE_READ)
@require_safe
def rows(request: HttpRequest, figure: str) -> HttpResponse:
    """The rows that made one number, with its definition."""
    if figure not in DEFINITIONS:
        raise NotFoundError("figure_not_found", "There is no such figure.")
    span, chosen, by = asked(request.GET)
    now = timezone.now()
    found: Any = (
        selectors.order_rows(span, chosen, now=now)
        if figure == "on_time"
        else selectors.downtime_rows(figure, span, chosen, now=now)
    )
    page_obj = Paginator(found, PAGE).get_page(request.GET.get("page"))
    listed = list(page_obj.object_list)
    if figure != "on_time":
        selectors.measure(listed, span, now=now)
    page_obj.object_list = listed
    label, definition = DEFINITIONS[figure]
    context = {
        "figure": figure,
        "label": label,
        "definition": definition,
        "page_obj": page_obj,
        "total": selectors.page(span, chosen, by=by, now=now).total,
        "span": span,
        "query": urlencode(_query(span, chosen)),
        "now": now,
    }
    return render(request, "maintenance/figure_rows.html", context)


def _cells(span: alert_figures.Span, kind: str, name: str, sums: Sums) -> list[Any]:
    def rounded(value: float | None) -> Any:
        return "" if value is None else round(value, 3)

    return [
        span.start, span.last, kind, name, sums.devices, rounded(sums.covered_hours),
        rounded(sums.uptime_percent), rounded(sums.unplanned_hours), rounded(sums.partial_hours),
        sums.failures, rounded(sums.mtbf_hours), sums.restored, rounded(sums.mttr_hours),
        sums.due, sums.on_time, rounded(sums.on_time_percent),
    ]  # fmt: skip


@requires(Can.MAINTENANCE_READ)
@require_safe
def figures_csv(request: HttpRequest) -> StreamingHttpResponse:
    """All groups as CSV, the whole last; an empty cell: not enough data."""
    span, chosen, by = asked(request.GET)
    found = selectors.page(span, chosen, by=by, now=timezone.now())

    def lines() -> Iterator[list[Any]]:
        for group in found.groups:
            yield _cells(span, selectors.GROUPS[by], group.name, group.sums)
        yield _cells(span, "all", "", found.total)

    response = StreamingHttpResponse(
        csvsafe.stream(HEADER, lines()), content_type="text/csv; charset=utf-8"
    )
    name = f"maintenance-figures-{span.start}-{span.last}.csv"
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@requires(Can.MAINTENANCE_READ)
@require_safe
def hours(request: HttpRequest) -> HttpResponse:
    """The hospital's week, and machines that have one of their own."""
    return _hours(request, given=None, error=None)


def _hours(
    request: HttpRequest, *, given: list[str] | None, error: DomainError | None
) -> HttpResponse:
    pk = _first_id(request.POST.get("device", "") or request.GET.get("machine", ""))
    pk = pk or machine_choice.named(request.GET)
    device = twin.get(pk) if pk is not None else None
    own = list(
        CoveredHours.objects.exclude(device=None)
        .select_related("device", "changed_by")
        .order_by("device__name")
    )
    default = CoveredHours.objects.filter(device=None).first()
    house = default.week if default else cover.ALWAYS
    mine = next((each for each in own if device and each.device_id == device.pk), None)
    texts = given or cover.lines(mine.week if mine else house)
    listed = [(each, cover.lines(each.week), cover.weekly_hours(each.week)) for each in own]
    page_obj = Paginator(listed, PAGE).get_page(request.GET.get("page"))
    context = {
        "device": device,
        "mine": mine,
        "default": default,
        "days": list(zip(cover.DAYS, texts, strict=True)),
        "house": list(zip(cover.DAYS, cover.lines(house), strict=True)),
        "house_hours": cover.weekly_hours(house),
        "page_obj": page_obj,
        "machines": machine_choice.choices(),
        "error": error,
        "can_plan": may(request.user, Can.MAINTENANCE_PLAN),
    }
    return render(request, "maintenance/hours.html", context, status=400 if error else 200)


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def hours_set(request: HttpRequest) -> HttpResponse:
    """Change one week, or have a machine follow the hospital's again."""
    pk = _first_id(request.POST.get("device", ""))
    device = twin.get(pk) if pk else None
    actor = cast("User", request.user)
    if device is not None and "clear" in request.POST:
        covered_hours.clear(actor=actor, device=device, request=request)
        messages.success(request, f"{device} follows the hospital's hours.")
        return redirect("maintenance:hours")
    given = [request.POST.get(f"day-{number}", "")[:200] for number in range(7)]
    try:
        covered_hours.put(actor=actor, device=device, lines=given, request=request)
    except DomainError as error:
        return _hours(request, given=given, error=error)
    messages.success(request, f"Saved: the hours of {device or 'the hospital'}.")
    return redirect("maintenance:hours")
