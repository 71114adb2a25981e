"""The synthetic machines with a month of telemetry, their limits and what happened to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from accounts.models import User
from demo.fleet import MACHINES, MANUFACTURER, MODELS, QUANTITIES, Machine, Quantity
from demo.telemetry import samples
from devices.models import Alert, Device, DeviceModel, Metric, Rule
from devices.models.reading import ReadingSource
from devices.models.twin import EventKind
from devices.services import alerts, evaluation, events, registry
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
    _work_alerts(engineer)
    return devices


def _model(name: str, modality: str) -> DeviceModel:
    model = DeviceModel.objects.create(
        manufacturer=MANUFACTURER, name=name, modality=modality, is_synthetic=True
    )
    registry.add_standard_metrics(model=model, without={q.key for q in QUANTITIES})
    for quantity in QUANTITIES:
        _metric(model, quantity)
    return model


def _metric(model: DeviceModel, quantity: Quantity) -> None:
    metric = Metric.objects.create(
        device_model=model,
        key=quantity.key,
        label=quantity.label,
        unit=quantity.unit,
        max_age=quantity.max_age,
        plausible_low=quantity.plausible[0],
        plausible_high=quantity.plausible[1],
    )
    Rule.objects.bulk_create(
        Rule(
            metric=metric,
            name=quantity.label,
            severity=limit.severity,
            low=limit.low,
            high=limit.high,
            hysteresis=limit.hysteresis,
            for_seconds=limit.for_seconds,
            min_samples=limit.min_samples,
            affects_image=limit.affects_image,
        )
        for limit in quantity.limits
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
        ae_titles=[machine.ae_title], criticality=machine.criticality
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
        rule__metric__key="detector_temperature", cleared_at=None, state="open"
    ).first()
    if warm is not None:
        alerts.acknowledge(alert=warm, actor=engineer)
