"""The synthetic machines with a month of telemetry, their limits and what happened to them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from accounts.models import User
from demo.fleet import (
    MACHINES,
    MANUFACTURER,
    MODELS,
    OF_MACHINES,
    QUANTITIES,
    Machine,
    Other,
    Quantity,
)
from demo.telemetry import STEP, samples
from devices.models import Alert, Device, DeviceModel, Metric, Supply
from devices.models.reading import ReadingSource
from devices.models.twin import EventKind
from devices.services import alerts, evaluation, events, registry, relations, rules
from devices.services.readings import MAX_READINGS, ReadingIn, record_readings

TELEMETRY_DAYS = 30
SEED = 20_220_101


def seed_fleet(*, engineer: User, now: datetime) -> list[Device]:
    """Models, machines, telemetry and alerts as the rules found them at the time."""
    models = {name: _model(name, modality) for name, modality in MODELS.items()}
    devices = []
    for machine in MACHINES:
        if not machine.registered:
            continue
        device = _device(machine, models[machine.model], engineer, now)
        _telemetry(device, machine, now)
        _look_back(device, machine, now)
        devices.append(device)
    _relations(devices, engineer)
    _work_alerts(engineer)
    return devices


def _relations(devices: list[Device], engineer: User) -> None:
    """What hangs on one panel, and who stands in for whom."""
    named = {device.name: device for device in devices}
    relations.save_supply(
        actor=engineer, name="Panel 1A", kind="power", devices=[named["XR-1"], named["XR-2"]],
        note="rooms R11 and R12",
    )  # fmt: skip
    for name, spare in (("XR-1", "XR-2"), ("XR-2", "XR-1"), ("XR-3", "MX-1")):
        device = named[name]
        relations.set_relations(
            device=device,
            actor=engineer,
            supplies=list(Supply.objects.filter(members__device=device)),
            spares=[named[spare]],
        )


def _model(name: str, modality: str) -> DeviceModel:
    model = DeviceModel.objects.create(
        manufacturer=MANUFACTURER, name=name, modality=modality, is_synthetic=True
    )
    registry.add_standard_metrics(model=model, without={q.key for q in QUANTITIES})
    for quantity in QUANTITIES:
        _metric(model, quantity)
    for other in OF_MACHINES:
        _other(other, None, model)
    return model


def _metric(model: DeviceModel, quantity: Quantity) -> None:
    metric = Metric.objects.create(
        device_model=model,
        key=quantity.key,
        label=quantity.label,
        unit=quantity.unit,
        max_age=quantity.max_age,
        cadence=None if quantity.base is None else int(STEP.total_seconds()),
        plausible_low=quantity.plausible[0],
        plausible_high=quantity.plausible[1],
    )
    for limit in quantity.limits:
        given = {"name": quantity.label, **asdict(limit)}
        _rule("limit", metric, None, given)
    for other in quantity.others:
        _other(other, metric, None)


def _other(other: Other, metric: Metric | None, model: DeviceModel | None) -> None:
    given = {**asdict(other), "severity": "watch"}
    del given["kind"]
    _rule(other.kind, metric, model, given)


def _rule(
    kind: str, metric: Metric | None, model: DeviceModel | None, given: dict[str, Any]
) -> None:
    rules.create(
        kind=kind, metric=metric, model=model, given=given, actor=None, reason="the demo's set-up"
    )


def _device(machine: Machine, model: DeviceModel, engineer: User, now: datetime) -> Device:
    device = registry.register_device(
        serial=machine.serial,
        name=machine.name,
        model=model,
        actor=engineer,
        location=machine.location,
        desired_config={**machine.config, **machine.desired},
        is_synthetic=True,
    )
    Device.objects.filter(pk=device.pk).update(
        ae_titles=[machine.ae_title],
        criticality=machine.criticality,
        # its telemetry and failures are known since then, so that figures have hours to cover
        noted_since=now - timedelta(days=TELEMETRY_DAYS),
    )
    events.append(
        device=device,
        kind=EventKind.CONFIG_REPORTED,
        payload={"config": machine.config, "source": "simulator"},
        at=now - timedelta(days=TELEMETRY_DAYS),
    )
    return device


def _telemetry(device: Device, machine: Machine, now: datetime) -> None:
    items = [
        ReadingIn(s.metric, s.value, s.unit, s.at)
        for s in samples(machine, now=now, days=TELEMETRY_DAYS, seed=SEED)
    ]
    for start in range(0, len(items), MAX_READINGS):
        record_readings(
            device=device,
            items=items[start : start + MAX_READINGS],
            source=ReadingSource.SIMULATOR,
        )


def _look_back(device: Device, machine: Machine, now: datetime) -> None:
    """Let the rules look twice a day while something was wrong, as the worker does all the time."""
    for fault in machine.faults:
        age = fault.since_days
        while age >= max(fault.until_days - 1, 0):
            evaluation.evaluate_rules(device=device, now=now - timedelta(days=age))
            age -= 0.5
    evaluation.evaluate_rules(device=device, now=now)


def _work_alerts(engineer: User) -> None:
    """What is over was looked after; the watch on the warm detector is being looked at."""
    for alert in Alert.objects.filter(cleared_at__isnull=False).exclude(state="resolved"):
        alerts.acknowledge(alert=alert, actor=engineer)
        if alert.severity == "act":
            alerts.resolve(
                alert=alert, actor=engineer, reason="adjusted", text="Synthetic: fan replaced."
            )
    warm = Alert.objects.filter(
        rule__kind="limit",
        rule__metric__key="detector_temperature",
        cleared_at=None,
        state="open",
    ).first()
    if warm is not None:
        alerts.acknowledge(alert=warm, actor=engineer)
