"""The page of figures about our own alerts, and its rows as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts import csvsafe
from accounts.decorators import requires
from accounts.permissions import Can
from accounts.services import audit
from devices.alert_figures import Spread
from devices.models import Alert, Device
from devices.models.alert import ResolveReason, Withheld
from devices.selectors import alert_figures as selectors
from devices.selectors import alerts as alert_selectors
from devices.selectors.notifications import rooms
from twinhealth.web.templatetags.house import span_text

from .views import actor

EXPORT_CAP = 100_000
HEADER = (
    "id", "machine", "serial", "room", "rule", "metric", "severity", "state", "opened",
    "outside_since",
    "acknowledged", "resolved", "reason", "returns", "opened_withheld", "message",
)  # fmt: skip


def _asked(request: HttpRequest) -> tuple[selectors.Span, str, int | None]:
    asked = request.GET
    start, last = (selectors.day(asked.get(name, ""), name) for name in ("from", "to"))
    machine = asked.get("machine", "")
    return (
        selectors.span_of(start, last, now=timezone.now()),
        asked.get("room", "")[:64],
        int(machine[:18]) if machine.isdecimal() else None,
    )


def _query(span: selectors.Span, room: str, device: int | None) -> dict[str, str]:
    found = {"from": span.start.isoformat(), "to": span.last.isoformat()}
    if room:
        found["room"] = room
    if device is not None:
        found["machine"] = str(device)
    return found


def _in_words(spread: Spread) -> tuple[str, str]:
    """Median and 90th percentile."""
    median, p90 = (
        "unknown" if seconds is None else span_text(timedelta(seconds=seconds))
        for seconds in (spread.median, spread.p90)
    )
    return median, p90


@require_GET
@requires(Can.ALERT_READ)
def figures(request: HttpRequest) -> HttpResponse:
    """How often machines ask, whether it was needed, how long it took."""
    now = timezone.now()
    span, room, device = _asked(request)
    page = selectors.page(span, now=now, room=room, device=device)
    query = _query(span, room, device)
    months = []
    for month in page.figures.months:
        days = {"from": month.start.isoformat(), "to": month.last.isoformat()}
        months.append((month, urlencode({**query, **days, "state": "all"})))
    reasons = page.figures.reasons
    context: dict[str, Any] = {
        "page": page,
        "figures": page.figures,
        "action_percent": round(100 * (page.figures.action_share or 0)),
        "acknowledge": _in_words(page.figures.acknowledge),
        "resolve": _in_words(page.figures.resolve),
        "months": months,
        "most": max((month.alerts for month, _ in months), default=0),
        "reasons": [
            (value, label, reasons[value])
            for value, label in ResolveReason.choices
            if value in reasons
        ],
        "withheld": [
            (value, label, page.figures.withheld.get(value, 0))
            for value, label in Withheld.choices
            if value
        ],
        "query": urlencode({**query, "state": "all"}),
        "sent_query": urlencode(query),
        "first": span.start,
        "last": span.last,
        "room": room,
        "device": device,
        "rooms": rooms(),
        "machines": Device.objects.order_by("name"),
        "now": now,
    }
    return render(request, "devices/alert_figures.html", context)


@require_GET
@requires(Can.ALERT_READ)
def figures_export(request: HttpRequest) -> StreamingHttpResponse:
    """The alerts behind the figures as CSV, at most `EXPORT_CAP`; a last row says so."""
    span, room, device = _asked(request)
    start, end = span.moments
    chosen = alert_selectors.AlertFilter(room=room, device=device, start=start, end=end)
    audit.record(
        actor=actor(request),
        verb="exported",
        obj=Alert,
        request=request,
        detail=_query(span, room, device),
    )
    response = StreamingHttpResponse(
        csvsafe.stream(HEADER, _rows(chosen)), content_type="text/csv; charset=utf-8"
    )
    name = f"alerts-{span.start}-{span.last}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _rows(chosen: alert_selectors.AlertFilter) -> Iterator[tuple[object, ...]]:
    found = alert_selectors.alerts(chosen, now=timezone.now(), ordering="opened")
    for number, alert in enumerate(found[: EXPORT_CAP + 1].iterator(chunk_size=2000)):
        if number == EXPORT_CAP:
            yield (f"cut after {EXPORT_CAP} rows: narrow the span",)
            return
        yield (
            alert.pk,
            alert.device.name,
            alert.device.serial,
            alert.device.location,
            alert.rule.name,
            alert.rule.metric.key if alert.rule.metric else "",
            alert.severity,
            alert.state,
            _time(alert.opened_at),
            _time(alert.since),
            _time(alert.acknowledged_at),
            _time(alert.resolved_at),
            alert.resolve_reason,
            alert.recurrences,
            alert.opened_withheld,
            alert.message,
        )


def _time(moment: Any) -> str:
    return timezone.localtime(moment).isoformat() if moment else ""
