"""Deleting by the retention policy, in bites that each are a transaction."""

from __future__ import annotations

import time
from datetime import datetime

import structlog
from django.db import OperationalError, transaction

from accounts.services import audit
from devices.models import Reading, Reading5Min, ReadingDay, ReadingHour, RetentionRun
from devices.selectors.storage import deletable_days, whole_months

from . import partitions

logger = structlog.get_logger(__name__)

BITE = 10_000  # rows


def work_off(*, seconds: float) -> None:
    """Go on with every run that isn't finished."""
    for run_id in RetentionRun.objects.filter(finished_at=None).values_list("pk", flat=True):
        work(run_id=run_id, seconds=seconds)


def work(*, run_id: int, seconds: float) -> bool:
    """Delete in bites, each its own transaction, until all is done or the time is over.

    Returns:
        True once the run is finished. What is left is taken up by the next call.
    """
    until = time.monotonic() + seconds
    while True:
        try:
            if _bite(run_id):
                return True
        except OperationalError:  # somebody kept the table for too long; beat calls again
            logger.warning("retention_waits", run_id=run_id, exc_info=True)
            return False
        if time.monotonic() > until:
            return False


@transaction.atomic
def _bite(run_id: int) -> bool:
    """One step of a run; True where nothing is left."""
    run = RetentionRun.objects.select_for_update().get(pk=run_id)
    if run.finished_at is not None:
        return True
    if not (_raw(run) or _five_minutes(run) or _hours(run)):
        _days(run)
        run.finished_at = audit.record(
            actor=run.requested_by,
            verb="deleted_readings",
            obj=run,
            detail={
                "partitions": run.partitions,
                "raw": run.raw,
                "five_minutes": run.five_minute,
                "hours": run.hour,
                "days": run.day,
            },
        ).at
    run.save()
    return run.finished_at is not None


def _raw(run: RetentionRun) -> bool:
    if run.raw_before is None:
        return False
    for month in whole_months(run.raw_before)[:1]:
        run.raw += partitions.drop(month)
        run.partitions += 1
        return True
    old = Reading.objects.filter(measured_at__lt=run.raw_before).values_list("pk", flat=True)
    listed = list(old.order_by()[:BITE])
    run.raw += Reading.objects.filter(pk__in=listed, measured_at__lt=run.raw_before).delete()[0]
    return bool(listed)


def _five_minutes(run: RetentionRun) -> bool:
    deleted = _pair(Reading5Min, run.five_minute_before)
    run.five_minute += deleted
    return deleted > 0


def _hours(run: RetentionRun) -> bool:
    deleted = _pair(ReadingHour, run.hour_before)
    run.hour += deleted
    return deleted > 0


def _pair(model: type[Reading5Min | ReadingHour], before: datetime | None) -> int:
    """Delete what is old of one machine's metric; how many rows that were, 0 once all is done."""
    if before is None:
        return 0
    old = model.objects.filter(starts_at__lt=before)
    for device, metric in old.order_by().values_list("device_id", "metric_id")[:1]:
        return old.filter(device=device, metric=metric).delete()[0]
    return 0


def _days(run: RetentionRun) -> None:
    if run.day_before is None:
        return
    for device, metric, days in deletable_days(run.day_before):
        mine = ReadingDay.objects.filter(device=device, metric=metric)
        for start in range(0, len(days), 500):
            run.day += mine.filter(day__in=days[start : start + 500]).delete()[0]
