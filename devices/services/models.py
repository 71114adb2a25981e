"""What machines of a make measure, and what their manufacturer wants done to them."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services import audit
from devices import units
from devices.models import ComponentKind, DeviceModel, Metric, Reading
from devices.plain_text import clean
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from . import AnyRequest

MAX_AGE_DAYS = 3650
MAX_MONTHS = 240
_KEY = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


def get(model_id: int) -> DeviceModel:
    """The model, or `NotFoundError` `model_not_found`."""
    found = DeviceModel.objects.filter(pk=model_id).first()
    if found is None:
        raise NotFoundError("model_not_found", "There is no such make and model.")
    return found


def get_metric(*, model: DeviceModel, metric_id: int) -> Metric:
    """A metric of the model, or `NotFoundError` `metric_not_found`."""
    found = Metric.objects.filter(device_model=model, pk=metric_id).first()
    if found is None:
        raise NotFoundError("metric_not_found", "This model has no such metric.")
    return found


@transaction.atomic
def set_plan(
    *,
    model: DeviceModel,
    months: int | None,
    source: str,
    actor: User,
    request: AnyRequest | None = None,
) -> DeviceModel:
    """The manufacturer's maintenance interval, and the document that says so.

    Raises:
        InvalidInputError: `bad_interval`, `source_missing` for an interval without one.
    """
    if months is not None and not 1 <= months <= MAX_MONTHS:
        raise InvalidInputError("bad_interval", f"1 to {MAX_MONTHS} months.", field="months")
    model.maintenance_months = months
    model.maintenance_source = clean(source, field="source", limit=300, required=months is not None)
    model.save(update_fields=["maintenance_months", "maintenance_source"])
    audit.record(actor=actor, verb="described", obj=model, request=request)
    return model


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if not math.isfinite(value):
        raise InvalidInputError("not_a_number", "A limit must be a finite number.")
    return float(value)


@transaction.atomic
def save_metric(
    *,
    model: DeviceModel,
    changes: Mapping[str, Any],
    actor: User,
    metric: Metric | None = None,
    request: AnyRequest | None = None,
) -> Metric:
    """Add a metric, or change one.

    Args:
        model: whose.
        changes: `key` (a new one only), `label`, `unit` (UCUM), `plausible_low`, `plausible_high`,
            `max_age_days`, `counter_of`; what isn't named stays.
        actor: who.
        metric: the one to change.
        request: for the audit row.

    Raises:
        InvalidInputError: `key_invalid`, `unknown_unit`, `limits_crossed`, `not_a_number`,
            `bad_age`, `unknown_kind`, and those of `clean`.
        ConflictError: `metric_exists`; `unit_in_use` once there are readings in the unit.
    """
    found = metric or Metric(device_model=model, key=str(changes.get("key", "")))
    if metric is None and not _KEY.fullmatch(found.key):
        raise InvalidInputError(
            "key_invalid", "A key has small letters, digits, - and _.", field="key"
        )
    if "label" in changes or metric is None:
        found.label = clean(str(changes.get("label", "")), field="label", limit=128)
    if "unit" in changes or metric is None:
        _set_unit(found, str(changes.get("unit", "")).strip())
    _set_limits(found, changes)
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError:
        raise ConflictError("metric_exists", "The model has this metric already.") from None
    audit.record(
        actor=actor, verb="described", obj=found, request=request, detail={"key": found.key}
    )
    return found


def _set_limits(found: Metric, changes: Mapping[str, Any]) -> None:
    for name in ("plausible_low", "plausible_high"):
        if name in changes:
            setattr(found, name, _number(changes[name]))
    low, high = found.plausible_low, found.plausible_high
    if low is not None and high is not None and low >= high:
        raise InvalidInputError("limits_crossed", "The lower value must lie below the upper one.")
    if "max_age_days" in changes:
        if not 0 < changes["max_age_days"] <= MAX_AGE_DAYS:
            raise InvalidInputError("bad_age", f"Up to {MAX_AGE_DAYS} days.", field="max_age_days")
        found.max_age = max(int(changes["max_age_days"] * 86_400), 1)
    if "counter_of" in changes:
        if changes["counter_of"] not in {"", *ComponentKind.values}:
            raise InvalidInputError("unknown_kind", "Choose a known kind.", field="counter_of")
        found.counter_of = changes["counter_of"]


def _set_unit(metric: Metric, unit: str) -> None:
    if metric.pk and unit == metric.unit:
        return
    if not units.known(unit):
        raise InvalidInputError(
            "unknown_unit", f"The unit {unit[:32]!r} isn't known; use a UCUM code.", field="unit"
        )
    if metric.pk and Reading.objects.filter(metric=metric).exists():
        raise ConflictError(
            "unit_in_use", "There are readings in this unit; make another metric.", field="unit"
        )
    metric.unit = unit
