"""Rows for the device tests, all made through the services where one exists."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from devices.models import Device, DeviceModel, Metric, Reading, Rule
from devices.services import reading_rows
from devices.services.registry import register_device

_NUMBERS = itertools.count(1)
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def user(role: str = Role.ENGINEER) -> User:
    return User.objects.create_user(
        username=f"{role}{next(_NUMBERS)}", password="a long password", role=role
    )


def model(**fields: Any) -> DeviceModel:
    number = next(_NUMBERS)
    fields = {"manufacturer": "Acme", "name": f"X-{number}", "modality": "DX", **fields}
    return DeviceModel.objects.create(**fields)


def metric(device_model: DeviceModel, key: str = "noise", **fields: Any) -> Metric:
    fields = {"label": key.title(), "unit": "1", **fields}
    return Metric.objects.create(device_model=device_model, key=key, **fields)


def rule(of: Metric, severity: str = "act", **fields: Any) -> Rule:
    fields = {"name": f"{of.key} {severity}", "high": 10.0, **fields}
    return Rule.objects.create(metric=of, severity=severity, **fields)


def device(device_model: DeviceModel | None = None, **fields: Any) -> Device:
    number = next(_NUMBERS)
    fields = {"serial": f"S{number:05d}", "name": f"XR-{number}", "actor": None, **fields}
    return register_device(model=device_model or model(), **fields)


def reading(of: Device, on: Metric, value: float, at: datetime) -> Reading:
    """Stored as the door stores it, with what readings come to; of an earlier one nothing."""
    readings(of, on, [(at, value)])
    return Reading.objects.get(device=of, metric=on, measured_at=at)


def readings(of: Device, on: Metric, values: Iterable[tuple[datetime, float]]) -> None:
    """Many of one metric, in one statement."""
    reading_rows.insert(
        values={of.pk: {(on.pk, at): value for at, value in values}},
        source="rest",
        received_at=timezone.now(),
    )


def watched_device(**rule_fields: Any) -> tuple[Device, Metric, Rule]:
    """A machine with one metric `noise` and one rule on it."""
    made = model()
    noise = metric(made)
    limit = rule(noise, **rule_fields)
    return device(made), noise, limit


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)
