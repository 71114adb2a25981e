"""Readings come in, in bulk: each one stored once, or refused with a reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from devices import units
from devices.models import Device, Metric, Reading
from devices.tasks import evaluate_device_task
from twinhealth.errors import InvalidInputError, TooLargeError

from .events import lock_twin

MAX_READINGS = 10_000
MAX_AHEAD = timedelta(minutes=10)  # clocks of machines run apart by that much
OLDEST = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class ReadingIn:
    """One reading as a sender gives it; nothing of it is trusted.

    Attributes:
        metric: key of the metric.
        value: a finite number in `unit`.
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
        given = item if isinstance(item, dict) else {}
        return cls(*(given.get(k) for k in ("metric", "value", "unit", "measured_at")))


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
    return value


def _moment(item: ReadingIn, now: datetime) -> datetime:
    moment = item.measured_at
    if isinstance(moment, str):
        try:
            moment = parse_datetime(moment)
        except ValueError:
            moment = None
    if not isinstance(moment, datetime) or timezone.is_naive(moment):
        raise InvalidInputError("invalid_time", "measured_at must be ISO 8601 with an offset.")
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise InvalidInputError("too_old", "measured_at lies before the year 2000.") from None
    if moment > now + MAX_AHEAD:
        raise InvalidInputError("in_future", "measured_at lies in the future; check the clock.")
    if moment < OLDEST:
        raise InvalidInputError("too_old", "measured_at lies before the year 2000.")
    return moment


@transaction.atomic
def record_readings(*, device: Device, items: Sequence[ReadingIn], source: str) -> RecordResult:
    """Store readings in the metrics' own units; the same one again is counted, not stored.

    Limits are judged by a worker afterwards.

    Args:
        device: whose.
        items: at most 10,000, any order; one bad item doesn't stop the others.
        source: `devices.models.reading.ReadingSource`.

    Raises:
        TooLargeError: `too_many_readings`; nothing is stored.
    """
    if len(items) > MAX_READINGS:
        raise TooLargeError(
            "too_many_readings",
            f"At most {MAX_READINGS} readings in one call; send them in parts.",
            limit=MAX_READINGS,
            given=len(items),
        )
    # writers of one device take turns, so that the counts below are exact
    lock_twin(device.pk)
    metrics = {m.key: m for m in Metric.objects.filter(device_model=device.model_id)}
    now = timezone.now()
    rows: dict[tuple[int, datetime], Reading] = {}
    rejected: list[dict[str, Any]] = []
    for index, item in enumerate(items):
        try:
            metric = metrics.get(item.metric) if isinstance(item.metric, str) else None
            if metric is None:
                raise InvalidInputError("unknown_metric", "The device's model has no such metric.")  # noqa: TRY301
            value, moment = _value(item, metric), _moment(item, now)
        except InvalidInputError as error:
            rejected.append({"index": index, "code": error.code, "message": error.message})
            continue
        reading = Reading(
            device=device, metric=metric, value=value, measured_at=moment, source=source
        )
        rows.setdefault((metric.pk, moment), reading)
    accepted = _insert(device, list(rows.values()))
    if accepted:
        evaluate_device_task.delay_on_commit(device.pk)  # type: ignore[attr-defined]
    return RecordResult(accepted, len(items) - len(rejected) - accepted, rejected)


def _insert(device: Device, rows: list[Reading]) -> int:
    """Insert what isn't there; how many that was. Needs the device's lock."""
    if not rows:
        return 0
    last = Reading.objects.order_by("-id").values_list("id", flat=True).first() or 0
    Reading.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2_000)
    return Reading.objects.filter(device=device, id__gt=last).count()
