"""What happened to a machine over a span, beside its readings: lanes on one time axis.

Images are counted; nothing here tells who is on them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from django.db.models import Count, F, Q
from django.db.models.functions import TruncDay, TruncHour
from django.urls import reverse
from django.utils import timezone

from devices import journal_words
from devices.models import Alert, Device, Downtime, TwinEvent, WorkOrder
from devices.models.maintenance import OrderState
from devices.models.twin import EventKind
from devices.spans import Span

MOST = 300  # items of one lane
HOURS_UP_TO = timedelta(days=3)
LABELS = {
    "config": "configuration",
    "alerts": "alerts",
    "work": "work and downtime",
    "images": "images",
    "journal": "journal",
}
_CONFIG = {EventKind.CONFIG_REPORTED, EventKind.CONFIG_DESIRED}
# these have a lane of their own, with their length
_ELSEWHERE = {EventKind.ALERT_OPENED, EventKind.ALERT_RESOLVED, EventKind.MAINTENANCE_DONE}


@dataclass(frozen=True, slots=True)
class Item:
    """One mark or bar.

    Attributes:
        start: when, or since when.
        end: until when; `None` for a moment.
        lasts: it goes on after the span's end.
        kind: how it is drawn: `act`, `watch`, `order`, `due`, `down`, or the event's kind.
        text: what it is, in words.
        url: where a click goes.
    """

    start: datetime
    end: datetime | None
    lasts: bool
    kind: str
    text: str
    url: str


@dataclass(frozen=True, slots=True)
class Lane:
    """One kind of things, oldest first; `cut` where there were more than `MOST`."""

    key: str
    items: list[Item]
    cut: bool = False

    @property
    def label(self) -> str:
        """In words."""
        return LABELS[self.key]


@dataclass(frozen=True, slots=True)
class Lanes:
    """All lanes of a span, and images per hour or day."""

    span: Span
    lanes: list[Lane]
    step: int  # seconds in which images are counted
    images: list[tuple[datetime, int]]

    @property
    def listed(self) -> list[tuple[str, Item]]:
        """Everything but images by time, for a table: (lane, item)."""
        found = [(lane.label, item) for lane in self.lanes for item in lane.items]
        return sorted(found, key=lambda pair: pair[1].start)

    @property
    def image_total(self) -> int:
        """Images of the span."""
        return sum(count for _, count in self.images)

    def as_data(self) -> dict[str, Any]:
        """JSON for the page's script; times are seconds since 1970."""
        return {
            "lanes": [
                {
                    "key": lane.key,
                    "label": lane.label,
                    "items": [
                        {
                            "s": item.start.timestamp(),
                            "e": item.end.timestamp() if item.end else None,
                            "lasts": item.lasts,
                            "kind": item.kind,
                            "text": item.text,
                            "url": item.url,
                        }
                        for item in lane.items
                    ],
                }
                for lane in self.lanes
            ],
            "step": self.step,
            "images": [[at.timestamp(), count] for at, count in self.images],
        }


def lanes(device: Device, span: Span) -> Lanes:
    """The lanes as they were at the span's end; five queries.

    What ended after the span's end was still going on then, and is shown so.
    """
    events = _events(device, span)
    config = [_event(e, "#h-config") for e in events if e.kind in _CONFIG]
    journal = [_event(e, "#h-journal") for e in events if e.kind not in _CONFIG]
    hourly = span.length <= HOURS_UP_TO
    return Lanes(
        span=span,
        lanes=[
            _lane("config", config),
            _lane("alerts", list(_alerts(device, span))),
            _lane("work", [*_orders(device, span), *_downtimes(device, span)]),
            Lane("images", []),
            _lane("journal", journal),
        ],
        step=3600 if hourly else 86_400,
        images=_images(device, span, hourly=hourly),
    )


def _lane(key: str, items: list[Item]) -> Lane:
    ordered = sorted(items, key=lambda item: item.start)
    return Lane(key, ordered[-MOST:], cut=len(ordered) > MOST)


def _events(device: Device, span: Span) -> list[TwinEvent]:
    return list(
        TwinEvent.objects.select_related("actor")
        .filter(device=device, at__gte=span.start, at__lte=span.end)
        .exclude(kind__in=_ELSEWHERE)
        .order_by("-at", "-revision")[: MOST + 1]
    )


def _event(event: TwinEvent, url: str) -> Item:
    words = journal_words.sentence(event.kind, event.payload)
    said = f"{event.get_kind_display()}: {words}" if words else str(event.get_kind_display())
    by = f", by {event.actor}" if event.actor else ""
    return Item(event.at, None, False, event.kind, f"{said}{by}", url)


def _bar(span: Span, start: datetime, end: datetime | None) -> dict[str, Any]:
    """A bar's end as the span's end knew it."""
    lasts = end is None or end > span.end
    return {"start": start, "end": span.end if lasts else end, "lasts": lasts}


def _alerts(device: Device, span: Span) -> Iterator[Item]:
    found = Alert.objects.filter(device=device, since__lte=span.end, opened_at__lte=span.end)
    found = found.filter(Q(resolved_at=None) | Q(resolved_at__gte=span.start))
    for alert in found.order_by("-since")[: MOST + 1]:
        bar = _bar(span, alert.since, alert.resolved_at)
        ended = "" if bar["lasts"] else f", resolved: {alert.get_resolve_reason_display()}"
        yield Item(
            **bar,
            kind=alert.severity,
            text=f"{alert.severity}: {alert.message}{ended}",
            url=reverse("devices:alert", args=[alert.pk]),
        )


def _orders(device: Device, span: Span) -> Iterator[Item]:
    """Work as bars from its start; orders that only wait, as a mark at their due date."""
    worked = Q(started_at__lte=span.end) & (
        Q(completed_at=None, state__in=[OrderState.IN_PROGRESS, OrderState.ON_HOLD])
        | Q(completed_at__gte=span.start)
    )
    waits = Q(started_at=None, completed_at=None, created_at__lte=span.end) & Q(
        due_on__gte=timezone.localdate(span.start), due_on__lte=timezone.localdate(span.end)
    )
    found = WorkOrder.objects.filter(device=device).exclude(state=OrderState.CANCELLED)
    for order in found.filter(worked | waits).order_by("-pk")[: MOST + 1]:
        url = reverse("devices:order", args=[order.pk])
        if order.started_at is None:
            due = timezone.make_aware(datetime.combine(order.due_on, time(12)))  # type: ignore[arg-type]
            yield Item(due, None, False, "due", f"{order}, due", url)
            continue
        bar = _bar(span, order.started_at, order.completed_at)
        state = "in progress" if bar["lasts"] else "done"
        yield Item(**bar, kind="order", text=f"{order}, {state}", url=url)


def _downtimes(device: Device, span: Span) -> Iterator[Item]:
    found = Downtime.objects.filter(device=device, starts_at__lte=span.end).filter(
        Q(ends_at=None) | Q(ends_at__gte=span.start)
    )
    for down in found.order_by("-starts_at")[: MOST + 1]:
        planned = "planned downtime" if down.planned else "down"
        yield Item(
            **_bar(span, down.starts_at, down.ends_at),
            kind="down",
            text=f"{planned}: {down.reason}",
            url="#h-maintenance",
        )


def _images(device: Device, span: Span, *, hourly: bool) -> list[tuple[datetime, int]]:
    zone = timezone.get_current_timezone()
    step = (TruncHour if hourly else TruncDay)("images__acquired_at", tzinfo=zone)
    counted = (
        Device.objects.filter(
            pk=device.pk,
            images__acquired_at__gte=span.start,
            images__acquired_at__lte=span.end,
        )
        .order_by()
        .annotate(step=step)
        .values("step")
        .annotate(count=Count("images"))
        .order_by(F("step"))
        .values_list("step", "count")
    )
    return list(counted)
