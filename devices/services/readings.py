"""Readings come in, in bulk: each one stored once, or refused with a reason."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from devices import clock, units
from devices.models import Device, Metric, Reading, TwinState
from devices.models.reading import ReadingSource
from devices.models.twin import EventKind
from devices.selectors.retention import SAFE, floors
from devices.tasks import judge_waiting_task
from twinhealth.errors import InvalidInputError, TooLargeError

from . import reading_rows, rule_states, wake
from .events import append, lock_twin, lock_twins

MAX_READINGS = 10_000
# squares of what lies between can be added up without leaving what a number can hold
LARGEST, SMALLEST = 1e100, 1e-100
MAX_AHEAD = timedelta(minutes=10)  # clocks of machines run apart by that much
# doors at which a machine tells its own time; images may lie about for days before they come
OWN_CLOCK = frozenset({ReadingSource.REST, ReadingSource.MQTT})


@dataclass(frozen=True, slots=True)
class ReadingIn:
    """One reading as a sender gives it; nothing of it is trusted.

    Attributes:
        metric: key of the metric.
        value: a number in `unit`, at most 1e100 in the metric's own; below 1e-100 it counts as 0.
        unit: UCUM code.
        measured_at: aware, or ISO 8601 text with offset.
    """

    metric: Any
    value: Any
    unit: Any
    measured_at: Any

    @classmethod
    def from_json(cls, item: Any) -> ReadingIn:
        """Take what is there; what is missing is refused with its reason later."""
        get = item.get if isinstance(item, dict) else {}.get
        return cls(get("metric"), get("value"), get("unit"), get("measured_at"))


@dataclass(frozen=True, slots=True)
class RecordResult:
    """How many were stored, were there already, and which were refused and why.

    `rejected` holds `{"index", "code", "message"}` by the item's place in the call.
    """

    accepted: int
    duplicates: int
    rejected: list[dict[str, Any]]


def _value(item: ReadingIn, metric: Metric) -> float:
    if isinstance(item.value, bool) or not isinstance(item.value, int | float):
        raise InvalidInputError("not_a_number", "value must be a number.")
    try:
        value = float(item.value)
    except OverflowError:
        value = math.inf
    if not math.isfinite(value):
        raise InvalidInputError("not_a_number", "value must be a finite number.")
    if not isinstance(item.unit, str) or not item.unit:
        raise InvalidInputError("unknown_unit", f"unit is missing; {metric.unit} is expected.")
    value = units.convert(value, item.unit, metric.unit)
    low, high = metric.plausible_low, metric.plausible_high
    if (low is not None and value < low) or (high is not None and value > high):
        raise InvalidInputError(
            "implausible", f"{value:g} {metric.unit} can't be real for {metric.key}."
        )
    if abs(value) > LARGEST:
        raise InvalidInputError("not_a_number", f"value must lie within {LARGEST:g}.")
    return value if abs(value) >= SMALLEST else 0.0


def _moment(item: ReadingIn) -> datetime:
    moment = item.measured_at
    if isinstance(moment, str):
        try:
            moment = parse_datetime(moment)
        except ValueError:
            moment = None
    if not isinstance(moment, datetime) or timezone.is_naive(moment):
        raise InvalidInputError("invalid_time", "measured_at must be ISO 8601 with an offset.")
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInputError("too_old", "measured_at lies before the year 2000.") from None


@dataclass(slots=True)
class _Kept:
    """Since when readings are kept; asked once, and only about what a policy could delete."""

    now: datetime
    since: datetime | None = None
    asked: bool = False

    def check(self, moment: datetime) -> None:
        """Refuse what may have been counted and deleted before: it would be counted again."""
        if moment >= self.now - SAFE:
            return
        if not self.asked:
            self.since, self.asked = floors().raw, True
        if self.since is not None and moment < self.since:
            raise InvalidInputError(
                "past_retention", f"Readings from before {self.since:%F} were deleted."
            )


def _check_moment(moment: datetime, now: datetime) -> None:
    if moment > now + MAX_AHEAD:
        raise InvalidInputError("in_future", "measured_at lies in the future; check the clock.")
    if moment < clock.OLDEST:
        raise InvalidInputError("too_old", "measured_at lies before the year 2000.")


@dataclass(slots=True)
class _Judged:
    """One call's items, judged; `values` by metric's id and moment, first come first kept."""

    values: dict[tuple[int, datetime], float] = field(default_factory=dict)
    rejected: list[dict[str, Any]] = field(default_factory=list)
    newest: datetime | None = None

    def take(self, items: Sequence[ReadingIn], metrics: Mapping[str, Metric], kept: _Kept) -> None:
        """Keep the good ones, note why the others are refused."""
        for index, item in enumerate(items):
            try:
                metric = metrics.get(item.metric) if isinstance(item.metric, str) else None
                if metric is None:
                    raise InvalidInputError(  # noqa: TRY301
                        "unknown_metric", "The device's model has no such metric."
                    )
                value, moment = _value(item, metric), _moment(item)
                if self.newest is None or moment > self.newest:
                    self.newest = moment
                _check_moment(moment, kept.now)
                kept.check(moment)
            except InvalidInputError as error:
                self.rejected.append({"index": index, "code": error.code, "message": error.message})
                continue
            self.values.setdefault((metric.pk, moment), value)


def check_length(count: int) -> None:
    """At most 10,000 in one call.

    Raises:
        TooLargeError: `too_many_readings`.
    """
    if count > MAX_READINGS:
        raise TooLargeError(
            "too_many_readings",
            f"At most {MAX_READINGS} readings in one call; send them in parts.",
            limit=MAX_READINGS,
            given=count,
        )


def record_readings(
    *,
    device: Device,
    items: Sequence[ReadingIn],
    source: str,
    said_at: datetime | None = None,
) -> RecordResult:
    """Store the readings of one call.

    Args:
        device: as for `store_readings`, as are the last two.
        items: at most 10,000, any order; one bad item doesn't stop the others.
        source: the door.
        said_at: the sender's own time, where it gave it.

    Raises:
        TooLargeError: `too_many_readings`; nothing is stored.
    """
    check_length(len(items))
    return store_readings(device=device, items=items, source=source, said_at=said_at)


@dataclass(frozen=True, slots=True)
class Judgement:
    """What would become of readings: `rejected` as in `RecordResult`.

    `duplicates` are places in the call of those that are stored already or came before in it;
    `keys` gives, for the others that are good, (metric's id, moment) by place.
    """

    rejected: list[dict[str, Any]]
    duplicates: list[int]
    keys: dict[int, tuple[int, datetime]]


def judge(*, device: Device, items: Sequence[ReadingIn]) -> Judgement:
    """What `store_readings` would do; nothing is stored.

    Args:
        device: whose.
        items: those of one call.
    """
    metrics = {m.key: m for m in Metric.objects.filter(device_model=device.model_id)}
    judged = _Judged()
    judged.take(items, metrics, _Kept(timezone.now()))
    refused = {refusal["index"] for refusal in judged.rejected}
    moments = [moment for _, moment in judged.values]
    there: set[tuple[int, datetime]] = set()
    if moments:
        there = set(
            Reading.objects.filter(
                device=device,
                metric__in={metric for metric, _ in judged.values},
                measured_at__range=(min(moments), max(moments)),
            ).values_list("metric_id", "measured_at")
        )
    keys: dict[int, tuple[int, datetime]] = {}
    duplicates = []
    for index, item in enumerate(items):
        if index in refused:
            continue
        key = (metrics[item.metric].pk, _moment(item))
        if key in there:
            duplicates.append(index)
        else:
            keys[index] = key
            there.add(key)
    return Judgement(judged.rejected, duplicates, keys)


@transaction.atomic
def store_readings(
    *,
    device: Device,
    items: Sequence[ReadingIn],
    source: str,
    said_at: datetime | None = None,
) -> RecordResult:
    """Store readings in the metrics' own units; the same one again is counted, not stored.

    The first value of a metric and moment stays. Limits are judged by a worker afterwards. A
    machine whose clock is off gets one note in its journal.

    Args:
        device: whose.
        items: any number, any order: those of one call or of many messages.
        source: `devices.models.reading.ReadingSource`.
        said_at: the sender's own time, where it gave it.
    """
    # writers of one device take turns, so that the counts below are exact
    twin = lock_twin(device.pk)
    metrics = {m.key: m for m in Metric.objects.filter(device_model=device.model_id)}
    return _keep([_Call(device, twin, metrics, items, said_at)], source)[device.pk]


@transaction.atomic
def store_together(
    *, items: Mapping[Device, Sequence[ReadingIn]], source: str
) -> dict[int, RecordResult]:
    """`store_readings` for many machines in one transaction.

    As many queries as for one, and those of a note for each machine whose clock is off: one an
    hour at most.

    Returns:
        by the machine's id.
    """
    twins = lock_twins([device.pk for device in items])
    metrics: dict[int, dict[str, Metric]] = {device.model_id: {} for device in items}
    for metric in Metric.objects.filter(device_model__in=metrics):
        metrics[metric.device_model_id][metric.key] = metric
    calls = [
        _Call(device, twins[device.pk], metrics[device.model_id], given)
        for device, given in items.items()
    ]
    return _keep(calls, source)


@dataclass(frozen=True, slots=True)
class _Call:
    """Whose readings, and what came; the twin is locked."""

    device: Device
    twin: TwinState
    metrics: Mapping[str, Metric]
    items: Sequence[ReadingIn]
    said_at: datetime | None = None


def _keep(calls: Sequence[_Call], source: str) -> dict[int, RecordResult]:
    now = timezone.now()
    kept, judged = _Kept(now), {call.device.pk: _Judged() for call in calls}
    for call in calls:
        judged[call.device.pk].take(call.items, call.metrics, kept)
    values = {pk: found.values for pk, found in judged.items()}
    accepted = reading_rows.insert(values=values, source=source, received_at=now)
    if source in OWN_CLOCK:
        for call in calls:
            seen = clock.Seen(judged[call.device.pk].newest, call.said_at)
            _note_clock(call.device, call.twin, seen, now)
    if accepted:
        rule_states.mark_late(moments={pk: values[pk] for pk in accepted})
        wake.ask_on_commit(device_ids=accepted, send=judge_waiting_task.hint)  # type: ignore[attr-defined]
    return {
        call.device.pk: _result(call, judged[call.device.pk], accepted.get(call.device.pk, 0))
        for call in calls
    }


def _result(call: _Call, judged: _Judged, accepted: int) -> RecordResult:
    rejected = judged.rejected
    return RecordResult(accepted, len(call.items) - len(rejected) - accepted, rejected)


def _note_clock(device: Device, twin: TwinState, seen: clock.Seen, now: datetime) -> None:
    note = clock.change(twin.state.get("clock"), seen, now)
    if note is not None:
        append(device=device, kind=EventKind.CLOCK, at=now, payload=note)
