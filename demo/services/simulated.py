"""A simulated fleet in the hospital: its machines registered, its readings through the door."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from django.db import transaction

from demo.simulator.fleet import Fleet, Value
from demo.simulator.quantities import QUANTITIES, STEP
from demo.standard_rules import OF_MACHINE, STANDARD_RULES
from devices import clock as clocks
from devices.models import Device, DeviceModel, Metric, TwinEvent, TwinState
from devices.models.reading import ReadingSource
from devices.models.twin import EventKind
from devices.services import events, registry, rules
from devices.services.readings import MAX_READINGS, ReadingIn, store_readings
from twinhealth.errors import ConflictError

MANUFACTURER, MODEL = "Simulated", "Radiography SIM"


@dataclass(slots=True)
class Sent:
    """What the door said to everything that was sent."""

    accepted: int = 0
    duplicates: int = 0
    refused: int = 0

    def add(self, other: Sent) -> None:
        """Count the other's too."""
        self.accepted += other.accepted
        self.duplicates += other.duplicates
        self.refused += other.refused


def known_start(fleet: Fleet) -> datetime | None:
    """When the fleet of this seed began, where it is in the hospital already."""
    first = Device.objects.filter(serial=fleet.serial(0), is_synthetic=True).first()
    told = first.desired_config.get("simulated_from") if first else None
    return datetime.fromisoformat(told).replace(tzinfo=UTC) if told else None


@transaction.atomic
def ensure_fleet(*, fleet: Fleet) -> list[Device]:
    """The fleet's machines in the order of their numbers, registered as synthetic where missing.

    Raises:
        ConflictError: `not_synthetic` where a model or a serial belongs to real machines,
            `other_fleet` where this seed stands for a fleet with another start or other faults.
    """
    model = _model()
    serials = [fleet.serial(number) for number in range(fleet.count)]
    there = {d.serial: d for d in Device.objects.filter(serial__in=serials)}
    config = {
        "software_versions": "5.2.1",
        "simulated_from": fleet.start.date().isoformat(),
        "simulated_plan": fleet.fingerprint,
    }
    found = []
    for number, serial in enumerate(serials):
        device = there.get(serial)
        if device is None:
            device = registry.register_device(
                serial=serial,
                name=f"Simulated {number + 1:04d}, seed {fleet.seed}",
                model=model,
                actor=None,
                location=fleet.place(number),
                desired_config=config,
                is_synthetic=True,
            )
        elif not device.is_synthetic:
            raise ConflictError("not_synthetic", f"{serial} is a real machine; nothing was sent.")
        elif device.desired_config.get("simulated_plan") != fleet.fingerprint or (
            device.desired_config.get("simulated_from") != config["simulated_from"]
        ):
            raise ConflictError(
                "other_fleet",
                f"Seed {fleet.seed} is in use by a fleet with another start or other faults; "
                "choose another seed.",
            )
        found.append(device)
    return found


def _model() -> DeviceModel:
    model, made = DeviceModel.objects.get_or_create(
        manufacturer=MANUFACTURER, name=MODEL, defaults={"modality": "DX", "is_synthetic": True}
    )
    if not model.is_synthetic:
        raise ConflictError("not_synthetic", f"{model} is a real model; nothing was sent.")
    if made:
        registry.add_standard_metrics(model=model, without={q.key for q in QUANTITIES})
        _watch(model)
    return model


def _watch(model: DeviceModel) -> None:
    """The metrics that its machines report, and the standard rules."""
    metrics = {
        quantity.key: Metric.objects.create(
            device_model=model,
            key=quantity.key,
            label=quantity.label,
            unit=quantity.unit,
            cadence=quantity.every * STEP,
            max_age=quantity.max_age,
            plausible_low=quantity.plausible[0],
            plausible_high=quantity.plausible[1],
        )
        for quantity in QUANTITIES
    }
    reason = "Standard rule of simulated machines (docs/simulator.md)"
    for rule in STANDARD_RULES:
        rules.create(
            kind=rule.kind,
            metric=metrics[rule.metric],
            model=None,
            given=rule.given,
            actor=None,
            reason=reason,
        )
    for kind, name in OF_MACHINE.items():
        given = {"name": name, "severity": "watch", "affects_image": False}
        rules.create(kind=kind, metric=None, model=model, given=given, actor=None, reason=reason)


def send(*, device: Device, values: Sequence[Value]) -> Sent:
    """One machine's readings through the same door as any other's."""
    sent = Sent()
    for start in range(0, len(values), MAX_READINGS):
        result = store_readings(
            device=device,
            items=[
                ReadingIn(v.metric, v.value, v.unit, v.measured_at)
                for v in values[start : start + MAX_READINGS]
            ],
            source=ReadingSource.SIMULATOR,
        )
        sent.add(Sent(result.accepted, result.duplicates, len(result.rejected)))
    _note_clock(device, values)
    return sent


def _note_clock(device: Device, values: Sequence[Value]) -> None:
    """What the door would have noted of the machine's clock when each reading came.

    The door itself sees a whole history at once, long after, when no clock is ahead of ours. What
    is in the journal already isn't noted again: no note comes before the last one.
    """
    noted = TwinState.objects.get(device=device).state.get("clock")
    for value in values:
        note = clocks.change(noted, clocks.Seen(value.measured_at), value.received_at)
        if note is None:
            continue
        events.append(device=device, kind=EventKind.CLOCK, at=value.received_at, payload=note)
        noted = {**note, "since": value.received_at.isoformat()}


def report_config(
    *, device: Device, configs: Sequence[tuple[datetime, dict[str, str]]], until: datetime
) -> None:
    """What the machine said of its settings; what is in the journal already isn't said again."""
    for at, config in configs:
        told = TwinEvent.objects.filter(device=device, kind=EventKind.CONFIG_REPORTED, at=at)
        if at > until or told.exists():
            continue
        wanted = device.desired_config
        simulated = {k: v for k, v in wanted.items() if k.startswith("simulated_")}
        events.append(
            device=device,
            kind=EventKind.CONFIG_REPORTED,
            payload={"config": {**simulated, **config}, "source": "simulator"},
            at=at,
        )


def send_history(
    *, fleet: Fleet, devices: Sequence[Device], until: datetime
) -> Iterator[tuple[Device, Sent]]:
    """Everything that came up to a moment, machine by machine.

    Args:
        fleet: what sends.
        devices: as `ensure_fleet` gave them.
        until: aware; what came later isn't sent.
    """
    for block in fleet.blocks():
        for number in block.numbers:
            device = devices[number]
            values = [v for v in block.values(number) if v.received_at <= until]
            report_config(device=device, configs=block.configs(number), until=until)
            yield device, send(device=device, values=values)


def follow(
    *,
    fleet: Fleet,
    devices: Sequence[Device],
    after: datetime,
    clock: Callable[[], datetime],
    wait: Callable[[], None],
) -> Iterator[tuple[datetime, Sent]]:
    """Send what comes as time goes on; ends only with the caller.

    Args:
        fleet: what sends; it is lengthened day by day.
        devices: as `ensure_fleet` gave them.
        after: what came up to then was sent.
        clock: the time of the fleet.
        wait: until the next step.
    """
    last = after
    while True:
        days = (last - fleet.start).days + 2
        longer = replace(fleet, days=days)
        waiting: dict[int, list[Value]] = {}
        configs = {}
        for block in longer.blocks():
            for number in block.numbers:
                waiting[number] = [v for v in block.values(number) if v.received_at > last]
                configs[number] = block.configs(number)
        while last < longer.end - timedelta(seconds=STEP):
            now, sent = clock(), Sent()
            for number, device in enumerate(devices):
                due = [v for v in waiting[number] if v.received_at <= now]
                if due:
                    del waiting[number][: len(due)]
                    sent.add(send(device=device, values=due))
                report_config(device=device, configs=configs[number], until=now)
            last = now
            yield now, sent
            wait()
