"""The figures of machines, rooms, models and the house, and the rows that made each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from django.db.models import Case, Count, F, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, TruncDate
from django.db.models.lookups import LessThan, LessThanOrEqual
from django.utils import timezone

from devices.models import Device, Downtime, WorkOrder
from devices.models.device import Lifecycle
from devices.models.maintenance import Extent, OrderState
from devices.order_steps import FINISHED
from devices.selectors.alert_figures import Span
from devices.selectors_due import AddDays

from . import cover
from .figures import Sums
from .models import CoveredHours

GROUPS = {"device": "machine", "room": "room", "model": "model"}
DOWN_FIGURES = ("uptime", "unplanned", "partial", "mtbf", "mttr")
_LATE_AFTER = AddDays(F("due_on"), F("grace_days"))


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which machines; empty means all that are not retired."""

    device: int | None = None
    room: str = ""
    model: int | None = None

    def q(self, prefix: str = "") -> Q:
        """The machines, or rows of theirs.

        A retired machine counts only where it is asked for: since when it isn't covered any more
        is nowhere written.
        """
        if self.device is not None:
            return Q(**{f"{prefix}pk": self.device})
        found = ~Q(**{f"{prefix}lifecycle": Lifecycle.RETIRED})
        if self.room:
            found &= Q(**{f"{prefix}location": self.room})
        if self.model is not None:
            found &= Q(**{f"{prefix}model_id": self.model})
        return found


@dataclass(frozen=True, slots=True)
class Group:
    """One row of the table."""

    key: str  # number of machine or model, name of the room
    name: str
    sums: Sums


@dataclass(frozen=True, slots=True)
class Page:
    """The house's figures, or those chosen, and the groups that they are made of."""

    span: Span
    total: Sums
    groups: list[Group]


@dataclass(frozen=True, slots=True)
class Period:
    """A span as seconds since 1970, ended by now."""

    start: float
    end: float

    @classmethod
    def of(cls, span: Span, now: datetime) -> Period:
        """Hours to come are neither up nor down."""
        start, end = span.moments
        return cls(start.timestamp(), min(end, now).timestamp())


class Covers:
    """Covered spans of each machine, computed once for each week that differs."""

    def __init__(self, span: Span) -> None:
        self._span = span
        self._zone = timezone.get_default_timezone()
        self._weeks: dict[int | None, cover.Week] = dict(
            CoveredHours.objects.values_list("device_id", "week")
        )
        self._made: dict[str, cover.Windows] = {}
        self._of: dict[int | None, cover.Windows] = {}

    def of(self, device: int) -> cover.Windows:
        """The machine's own hours, else the hospital's, else every hour."""
        key = device if device in self._weeks else None
        found = self._of.get(key)
        if found is None:
            found = self._of[key] = self._windows(self._weeks.get(key, cover.ALWAYS))
        return found

    def _windows(self, week: cover.Week) -> cover.Windows:
        key = str(week)
        if key not in self._made:
            self._made[key] = cover.windows(week, self._span.start, self._span.last, self._zone)
        return self._made[key]


def page(span: Span, chosen: Chosen, *, by: str, now: datetime) -> Page:
    """All figures in four queries.

    Args:
        span: days in the hospital's zone.
        chosen: which machines.
        by: a key of `GROUPS`.
        now: ends the period where it reaches beyond.
    """
    machines = _machines(chosen)
    period, covers = Period.of(span, now), Covers(span)
    sums = {}
    for each in machines:
        begin = max(period.start, each.since)
        sums[each.pk] = Sums(devices=1, covered=covers.of(each.pk).between(begin, period.end))
    _add_downtimes(sums, {each.pk: each.since for each in machines}, period, covers, chosen)
    _add_orders(sums, span, chosen, timezone.localdate(now))
    total = Sums()
    groups: dict[str, Group] = {}
    for each in machines:
        key, name = each.names[by]
        groups.setdefault(key, Group(key, name, Sums())).sums.add(sums[each.pk])
        total.add(sums[each.pk])
    return Page(span, total, sorted(groups.values(), key=lambda group: group.name.casefold()))


@dataclass(frozen=True, slots=True)
class _Machine:
    pk: int
    since: float
    names: dict[str, tuple[str, str]]


def _machines(chosen: Chosen) -> list[_Machine]:
    rows = (
        Device.objects.filter(chosen.q())
        .order_by("name", "pk")
        .values_list(
            "pk", "name", "location", "model_id", "model__manufacturer", "model__name",
            "noted_since", "registered_at",
        )
    )  # fmt: skip
    return [
        _Machine(
            pk=pk,
            since=(noted or registered).timestamp(),
            names={
                "device": (str(pk), name),
                "room": (room, room or "no room"),
                "model": (str(model), f"{maker} {kind}"),
            },
        )
        for pk, name, room, model, maker, kind, noted, registered in rows
    ]


def _in_period(period: Period, chosen: Chosen) -> QuerySet[Downtime]:
    start, end = (
        datetime.fromtimestamp(each, timezone.get_default_timezone())
        for each in (period.start, period.end)
    )
    return Downtime.objects.filter(
        chosen.q("device__"), Q(ends_at=None) | Q(ends_at__gte=start), starts_at__lt=end
    )


def _add_downtimes(
    sums: dict[int, Sums], since: dict[int, float], period: Period, covers: Covers, chosen: Chosen
) -> None:
    rows = _in_period(period, chosen).values_list(
        "device_id", "starts_at", "ends_at", "planned", "extent"
    )
    for device, starts_at, ends_at, planned, extent in rows:
        if device not in sums:
            continue  # registered between the two queries
        one = sums[device]
        start = starts_at.timestamp()
        end = ends_at.timestamp() if ends_at else None
        low = max(start, period.start, since[device])
        high = min(end if end is not None else period.end, period.end)
        seconds = covers.of(device).between(low, high)
        if extent == Extent.PARTIAL:
            one.partial += seconds
            continue
        one.down += seconds
        if planned:
            continue
        one.unplanned += seconds
        one.failures += start >= max(period.start, since[device])
        if end is not None and end <= period.end:
            one.restored += 1
            one.restoring += end - start


def _due(span: Span, chosen: Chosen, today: date) -> QuerySet[WorkOrder]:
    """Plans' orders due in the span that are done, or late."""
    return WorkOrder.objects.filter(
        Q(state__in=FINISHED) | Q(LessThan(_LATE_AFTER, today)),
        chosen.q("device__"),
        plan__isnull=False,
        due_on__range=(span.start, span.last),
    ).exclude(state=OrderState.CANCELLED)


def in_time_q() -> Q:
    """Done by due date and grace, by the hospital's days."""
    return Q(LessThanOrEqual(TruncDate("completed_at"), _LATE_AFTER), state__in=FINISHED)


def _add_orders(sums: dict[int, Sums], span: Span, chosen: Chosen, today: date) -> None:
    rows = (
        _due(span, chosen, today)
        .order_by()
        .values_list("device_id")
        .annotate(due=Count("pk"), on_time=Count("pk", filter=in_time_q()))
    )
    for device, due, on_time in rows:
        if device in sums:
            sums[device].due, sums[device].on_time = due, on_time


def downtime_rows(figure: str, span: Span, chosen: Chosen, *, now: datetime) -> QuerySet[Downtime]:
    """The downtimes that made a figure; `measure` says how much of it each made.

    Args:
        figure: one of `DOWN_FIGURES`.
        span: as for `page`, as are the next two.
        chosen: which machines.
        now: ends the period.
    """
    period = Period.of(span, now)
    start, end = span.moments
    found = _in_period(period, chosen)
    if figure == "partial":
        found = found.filter(extent=Extent.PARTIAL)
    else:
        found = found.filter(extent=Extent.FULL)
    if figure in {"unplanned", "mtbf", "mttr"}:
        found = found.filter(planned=False)
    if figure == "mtbf":
        known = Coalesce("device__noted_since", "device__registered_at")
        found = found.filter(starts_at__gte=start).filter(starts_at__gte=known)
    if figure == "mttr":
        found = found.filter(ends_at__lte=min(end, now))
    return found.select_related("device", "order").order_by("-starts_at", "-pk")


def measure(rows: Iterable[Downtime], span: Span, *, now: datetime) -> None:
    """Give each row `covered_hours` within the period and `clock_hours` of its whole length."""
    period, covers = Period.of(span, now), Covers(span)
    for row in rows:
        since = (row.device.noted_since or row.device.registered_at).timestamp()
        low = max(row.starts_at.timestamp(), period.start, since)
        end = (row.ends_at or now).timestamp()
        facts: Any = row
        facts.covered_hours = covers.of(row.device_id).between(low, min(end, period.end)) / 3600
        facts.clock_hours = (end - row.starts_at.timestamp()) / 3600


def order_rows(span: Span, chosen: Chosen, *, now: datetime) -> QuerySet[WorkOrder]:
    """The orders that made `on_time`, those that were late first."""
    return (
        _due(span, chosen, timezone.localdate(now))
        .annotate(was_in_time=Case(When(in_time_q(), then=Value(True)), default=Value(False)))
        .select_related("device", "plan", "assigned_to")
        .order_by("was_in_time", "-due_on", "pk")
    )
