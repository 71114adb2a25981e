"""An image is a reading of the machine that took it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import structlog
from django.db import transaction

from devices import projection
from devices.facts import ImageFacts
from devices.models import Device, Metric, TwinEvent, TwinState
from devices.models.reading import ReadingSource
from devices.models.twin import EventKind

from .events import append, lock_twin
from .readings import ReadingIn, record_readings

logger = structlog.get_logger(__name__)


@transaction.atomic
def note_image(*, device: Device, facts: ImageFacts, source_ref: str) -> None:
    """Keep what one image tells of its machine; limits are judged by a worker afterwards.

    Args:
        device: who took it.
        facts: header values and pixel statistics; metrics that the device's model doesn't have
            are passed over.
        source_ref: the image, as a reference without patient identity (our id).
    """
    known = set(Metric.objects.filter(device_model=device.model_id).values_list("key", flat=True))
    for source in (ReadingSource.DICOM, ReadingSource.PIXELS):
        chosen = {
            key: said
            for key, said in facts.readings.items()
            if key in known and key.startswith("pixel_") == (source is ReadingSource.PIXELS)
        }
        _record(device, facts.acquired_at, chosen, source=source)
    _note_config(device, facts, source_ref)


@transaction.atomic
def note_exposure(*, device: Device, at: datetime, readings: dict[str, tuple[float, str]]) -> None:
    """Keep what a dose report tells of one exposure of its machine.

    Args:
        device: who made it.
        at: when the exposure began, aware.
        readings: metric key -> (value, UCUM unit); metrics that the device's model doesn't have
            are passed over.
    """
    known = set(Metric.objects.filter(device_model=device.model_id).values_list("key", flat=True))
    _record(
        device,
        at,
        {k: v for k, v in readings.items() if k in known},
        source=ReadingSource.DOSE_REPORT,
    )


def _record(
    device: Device, at: datetime, readings: dict[str, tuple[float, str]], *, source: str
) -> None:
    items = [ReadingIn(key, value, unit, at) for key, (value, unit) in sorted(readings.items())]
    if not items:
        return
    result = record_readings(device=device, items=items, source=source)
    for refusal in result.rejected:
        logger.info(
            "image_reading_refused",
            device_id=device.pk,
            metric=items[refusal["index"]].metric,
            code=refusal["code"],
        )


def _reported_at(device: Device, twin: TwinState, at: datetime) -> dict[str, Any]:
    """What the machine reported as of `at`."""
    state = twin.state or projection.empty()
    if state["last_at"] is not None and projection.iso(at) < state["last_at"]:
        state = projection.fold(TwinEvent.objects.filter(device=device, at__lte=at))
    return projection.values(state["reported"])


def _note_config(device: Device, facts: ImageFacts, source_ref: str) -> None:
    if not facts.config:
        return
    twin = lock_twin(device.pk)
    before = _reported_at(device, twin, facts.acquired_at)
    changed = {k: v for k, v in sorted(facts.config.items()) if before.get(k) != v}
    if changed:
        append(
            device=device,
            kind=EventKind.CONFIG_REPORTED,
            at=facts.acquired_at,
            payload={
                "config": changed,
                "previous": {k: before[k] for k in changed if k in before},
                "source": source_ref,
            },
        )
