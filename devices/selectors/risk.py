"""The first rung of failure risk for the fleet and for one machine, with the rows it rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.db.models import Max, Q

from devices import risk
from devices.models import Alert, AlertState, Device, DeviceModel, Downtime, TwinEvent
from devices.models.alert import ResolveReason
from devices.models.device import Lifecycle
from devices.models.device_model import Severity
from devices.models.twin import EventKind

NONE = "none"


@dataclass(frozen=True, slots=True)
class Row:
    """One row that tells of a failure: an unplanned downtime, or a repaired alert to act on."""

    kind: str  # `downtime`, `alert`
    pk: int
    start: datetime
    end: datetime
    text: str


class Machine(NamedTuple):
    """Of a class: what a record needs. Hundreds are read to tell of one."""

    pk: int
    name: str
    lifecycle: str
    is_synthetic: bool
    since: datetime  # from when its failures are noted here
    model: DeviceModel


@dataclass(frozen=True, slots=True)
class History:
    """What one machine's record rests on."""

    device: Machine
    record: risk.Record
    rows: list[Row] = field(default_factory=list)

    @property
    def since(self) -> datetime:
        """From when its failures are noted here."""
        return self.device.since


@dataclass(frozen=True, slots=True)
class Risk:
    """The answer: a chance, or what is missing.

    `pool` is `model` or `modality`: whose machines made the prior. `histories` are theirs.
    """

    pool: str
    pool_name: str
    evidence: risk.Evidence
    own: risk.Record
    prior: risk.Prior | None = None
    chance: risk.Chance | None = None
    histories: list[History] = field(default_factory=list, compare=False)

    @property
    def rung(self) -> str:
        """`class_prior`, or `none` where there is no number."""
        return risk.RUNG if self.chance else NONE

    @property
    def text(self) -> str:
        """One sentence."""
        if self.chance is None:
            return f"not enough data: {self.evidence.missing} of {self.pool_name}"
        found = self.chance
        return (
            f"{percent(found.probability)} within {risk.DAYS} days "
            f"({percent(found.low)} to {percent(found.high)})"
        )

    @property
    def short(self) -> str:
        """For a column."""
        return percent(self.chance.probability) if self.chance else "not enough data"


def percent(share: float) -> str:
    """Two digits that mean something."""
    value = share * 100
    return f"{value:.0f} %" if value >= 10 else f"{value:.1f} %"


def _end_of_life(devices: Iterable[Machine], at: datetime) -> dict[int, datetime]:
    """When those that are retired were."""
    retired = [d.pk for d in devices if d.lifecycle == Lifecycle.RETIRED]
    if not retired:
        return {}
    events = TwinEvent.objects.filter(
        device__in=retired,
        kind=EventKind.LIFECYCLE,
        at__lte=at,
        payload__lifecycle=Lifecycle.RETIRED,
    )
    return dict(events.order_by().values_list("device").annotate(Max("at")))


# modality, and whether the machines are synthetic
_Kind = tuple[str, bool]


def _among(kinds: set[_Kind], device: str = "") -> Q:
    """Machines of these kinds; `device` leads from the table that is asked to the machine."""
    wanted = Q(pk__in=[])
    for modality, synthetic in kinds:
        same = {f"{device}model__modality": modality, f"{device}is_synthetic": synthetic}
        wanted |= Q(**same)
    return wanted


def _rows(
    devices: list[Machine], kinds: set[_Kind], at: datetime
) -> tuple[dict[int, list[Row]], dict[int, timedelta]]:
    """By machine: rows that tell of failures, and how long it was down."""
    since = {d.pk: d.since for d in devices}
    rows: dict[int, list[Row]] = defaultdict(list)
    down: dict[int, timedelta] = defaultdict(timedelta)
    # asked by kind: a list of some hundred numbers costs more than the rows
    whose = _among(kinds, "device__")
    for each in Downtime.objects.filter(whose, starts_at__lte=at).order_by("starts_at"):
        begin = since.get(each.device_id)
        if begin is None:  # registered since the pool was read
            continue
        end = min(each.ends_at or at, at)
        down[each.device_id] += max(end - max(each.starts_at, begin), timedelta(0))
        if not each.planned and each.starts_at >= begin:
            row = Row("downtime", each.pk, each.starts_at, end, each.reason)
            rows[each.device_id].append(row)
    repaired = Alert.objects.filter(
        whose,
        severity=Severity.ACT,
        state=AlertState.RESOLVED,
        resolve_reason=ResolveReason.REPAIRED,
        resolved_at__lte=at,
    )
    for alert in repaired.order_by("since"):
        begin = since.get(alert.device_id)
        if begin is not None and alert.since >= begin and alert.resolved_at is not None:
            row = Row("alert", alert.pk, alert.since, alert.resolved_at, alert.message)
            rows[alert.device_id].append(row)
    return rows, down


def _pool(kinds: set[_Kind]) -> list[Machine]:
    """All machines of these kinds, retired ones too."""
    columns = ("pk", "name", "lifecycle", "is_synthetic", "registered_at", "noted_since", "model")
    found = Device.objects.filter(_among(kinds)).order_by("pk").values_list(*columns)
    models = DeviceModel.objects.in_bulk({row[-1] for row in found})
    return [
        Machine(pk, name, lifecycle, synthetic, noted or registered, models[model])
        for pk, name, lifecycle, synthetic, registered, noted, model in found
    ]


def _histories(kinds: set[_Kind], at: datetime) -> list[History]:
    """The records of these machines as of a moment; at most five queries."""
    devices = _pool(kinds)
    ends = _end_of_life(devices, at)
    rows, down = _rows(devices, kinds, at)
    found = []
    for device in devices:
        if device.since > at:
            continue
        spent = ends.get(device.pk, at) - device.since - down[device.pk]
        listed = sorted(rows[device.pk], key=lambda row: row.start)
        failures = len(risk.breakdowns((row.start, row.end) for row in listed))
        record = risk.Record(failures, max(spent.days, 0))
        found.append(History(device, record, listed))
    return found


def risks(devices: Iterable[Device], *, at: datetime) -> dict[int, Risk]:
    """The risk of each machine; at most five queries.

    The class is the machine's make and model where those machines have failed often enough, else
    all makes of its modality. Synthetic machines are a class of their own.

    Args:
        devices: with their models.
        at: as of this moment; rows of later don't count.
    """
    wanted = {d.pk for d in devices}
    by_model: dict[tuple[int, bool], list[History]] = defaultdict(list)
    by_modality: dict[tuple[str, bool], list[History]] = defaultdict(list)
    kinds = {(d.model.modality, d.is_synthetic) for d in devices}
    for each in _histories(kinds, at):
        by_model[each.device.model.pk, each.device.is_synthetic].append(each)
        by_modality[each.device.model.modality, each.device.is_synthetic].append(each)
    found: dict[int, Risk] = {}
    for (_, synthetic), members in by_model.items():
        model = members[0].device.model
        of_model = risk.evidence(h.record for h in members)
        pool, name, together, whole = "model", str(model), of_model, members
        if of_model.missing:
            whole = by_modality[model.modality, synthetic]
            together = risk.evidence(h.record for h in whole)
            pool, name = "modality", f"all {model.modality} machines"
        answers: list[tuple[Any, Any]] = [(None, None)] * len(whole)
        if not together.missing:
            answers = list(risk.of_class([h.record for h in whole]))
        for history, (prior, chance) in zip(whole, answers, strict=True):
            if history.device.pk in wanted and history.device.model.pk == model.pk:
                found[history.device.pk] = Risk(
                    pool, name, together, history.record, prior, chance, whole
                )
    return found


def risk_of(device: Device, *, at: datetime) -> Risk:
    """The risk of one machine; before it was registered nothing is known."""
    nothing = Risk("model", str(device.model), risk.evidence([]), risk.Record(0, 0))
    return risks([device], at=at).get(device.pk, nothing)
