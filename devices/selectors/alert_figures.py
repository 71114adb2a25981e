"""The figures about our own alerts, and the rows behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count
from django.utils import timezone

from devices.alert_figures import Chatter, Figures, Life, figures
from devices.models import Alert, Device, Notification, Rule
from devices.models.device import Lifecycle
from devices.models.notification import SendState
from devices.selectors.alerts import NEEDED_ACTION, STALE, AlertFilter
from twinhealth.errors import InvalidInputError

DEFAULT = timedelta(days=90)
LONGEST = timedelta(days=3 * 366)
CHUNK = 5000


@dataclass(frozen=True, slots=True)
class Span:
    """Days in the hospital's zone: `start` is the first one, `end` the day after the last."""

    start: date
    end: date

    @property
    def last(self) -> date:
        """Its last day."""
        return self.end - timedelta(days=1)

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """The same as moments."""
        zone = timezone.get_default_timezone()
        return (
            datetime.combine(self.start, time(), tzinfo=zone),
            datetime.combine(self.end, time(), tzinfo=zone),
        )


@dataclass(frozen=True, slots=True)
class Page:
    """The figures with the names that a page shows."""

    span: Span
    figures: Figures
    devices: int
    chattering: list[tuple[Chatter, str, str]]  # with the names of machine and rule
    notifications: dict[str, int]


def day(text: str, name: str) -> date | None:
    """A day as `2026-03-01`; `None` for no text.

    Raises:
        InvalidInputError: `bad_day`.
    """
    if not text:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise InvalidInputError("bad_day", f"{name} must be a day, as 2026-03-01.") from error


def span_of(start: date | None, last: date | None, *, now: datetime) -> Span:
    """From the first to the last day, both included; the last 90 days unless told.

    Raises:
        InvalidInputError: `bad_span` where it ends before it starts or is longer than 3 years.
    """
    last = last or timezone.localdate(now)
    if last.year > 9000 or (start is not None and start.year < 1900):
        raise InvalidInputError("bad_span", "These days lie too far away.")
    end = last + timedelta(days=1)
    start = start or end - DEFAULT
    if not start < end:
        raise InvalidInputError("bad_span", "The last day lies before the first.")
    if end - start > LONGEST:
        raise InvalidInputError("bad_span", "At most three years at once.")
    return Span(start, end)


def page(span: Span, *, now: datetime, room: str = "", device: int | None = None) -> Page:
    """Everything about alerts that opened in the span; five queries, whatever their number."""
    start, end = span.moments
    chosen = AlertFilter(room=room, device=device, start=start, end=end)
    rows = (
        Alert.objects.filter(chosen.q(now))
        .order_by()
        .values_list(
            "device_id",
            "rule_id",
            "opened_at",
            "acknowledged_at",
            "resolved_at",
            "resolve_reason",
            "recurrences",
            "opened_withheld",
        )
    )
    machines = Device.objects.exclude(lifecycle=Lifecycle.RETIRED)
    if room:
        machines = machines.filter(location=room)
    if device is not None:
        machines = machines.filter(pk=device)
    count = machines.count()
    found = figures(
        (Life(*row) for row in rows.iterator(chunk_size=CHUNK)),
        devices=count,
        start=span.start,
        end=span.end,
        zone=timezone.get_default_timezone(),
        now=now,
        action=NEEDED_ACTION,
        stale=STALE,
    )
    names = Device.objects.in_bulk([one.device for one in found.chattering])
    rules = Rule.objects.in_bulk([one.rule for one in found.chattering])
    # by when they were written: also of an alert that opened before
    told = Notification.objects.filter(created_at__gte=start, created_at__lt=end)
    told = told.exclude(alert=None)  # tests of webhooks
    if room:
        told = told.filter(alert__device__location=room)
    if device is not None:
        told = told.filter(alert__device=device)
    states = dict(told.order_by().values_list("state").annotate(Count("pk")))
    return Page(
        span,
        found,
        count,
        [(one, names[one.device].name, rules[one.rule].name) for one in found.chattering],
        {state: states.get(state, 0) for state in SendState.values},
    )
