"""The first rung of failure risk for the fleet and for one machine, with the rows it rests on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Max, Q

from devices import risk
from devices.models import Alert, AlertState, Device, Downtime, TwinEvent
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


@dataclass(frozen=True, slots=True)
class History:
    """What one machine's record rests on."""

    device: Device
    since: datetime  # from when its failures are noted here
    record: risk.Record
    rows: list[Row] = field(default_factory=list)


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


def _end_of_life(devices: Iterable[Device], at: datetime) -> dict[int, datetime]:
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


def _rows(devices: list[Device], at: datetime) -> tuple[dict[int, list[Row]], dict[int, timedelta]]:
    """By machine: rows that tell of failures, and how long it was down."""
    ids = [d.pk for d in devices]
    since = {d.pk: d.noted_since or d.registered_at for d in devices}
    rows: dict[int, list[Row]] = defaultdict(list)
    down: dict[int, timedelta] = defaultdict(timedelta)
    for each in Downtime.objects.filter(device__in=ids, starts_at__lte=at).order_by("starts_at"):
        begin = since[each.device_id]
        end = min(each.ends_at or at, at)
        down[each.device_id] += max(end - max(each.starts_at, begin), timedelta(0))
        if not each.planned and each.starts_at >= begin:
            row = Row("downtime", each.pk, each.starts_at, end, each.reason)
            rows[each.device_id].append(row)
    repaired = Alert.objects.filter(
        device__in=ids,
        severity=Severity.ACT,
        state=AlertState.RESOLVED,
        resolve_reason=ResolveReason.REPAIRED,
        resolved_at__lte=at,
    )
    for alert in repaired.order_by("since"):
        if alert.since >= since[alert.device_id] and alert.resolved_at is not None:
            row = Row("alert", alert.pk, alert.since, alert.resolved_at, alert.message)
            rows[alert.device_id].append(row)
    return rows, down


def histories(devices: list[Device], at: datetime) -> list[History]:
    """The records of machines as of a moment; at most three queries."""
    ends = _end_of_life(devices, at)
    rows, down = _rows(devices, at)
    found = []
    for device in devices:
        since = device.noted_since or device.registered_at
        spent = ends.get(device.pk, at) - since - down[device.pk]
        if since > at:
            continue
        listed = sorted(rows[device.pk], key=lambda row: row.start)
        failures = len(risk.breakdowns((row.start, row.end) for row in listed))
        record = risk.Record(failures, max(spent.days, 0))
        found.append(History(device, since, record, listed))
    return found


def _pool(devices: Iterable[Device]) -> list[Device]:
    """All machines, retired ones too, that may share a class with these."""
    of = {(d.model.modality, d.is_synthetic) for d in devices}
    wanted = Q(pk__in=[])
    for modality, synthetic in of:
        wanted |= Q(model__modality=modality, is_synthetic=synthetic)
    return list(Device.objects.select_related("model").filter(wanted).order_by("pk"))


def risks(devices: Iterable[Device], *, at: datetime) -> dict[int, Risk]:
    """The risk of each machine; at most four queries.

    The class is the machine's make and model where those machines have failed often enough, else
    all makes of its modality. Synthetic machines are a class of their own.

    Args:
        devices: with their models.
        at: as of this moment; rows of later don't count.
    """
    wanted = {d.pk for d in devices}
    by_model: dict[tuple[int, bool], list[History]] = defaultdict(list)
    by_modality: dict[tuple[str, bool], list[History]] = defaultdict(list)
    for each in histories(_pool(devices), at):
        by_model[each.device.model_id, each.device.is_synthetic].append(each)
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
            if history.device.pk in wanted and history.device.model_id == model.pk:
                found[history.device.pk] = Risk(
                    pool, name, together, history.record, prior, chance, whole
                )
    return found


def risk_of(device: Device, *, at: datetime) -> Risk:
    """The risk of one machine; before it was registered nothing is known."""
    nothing = Risk("model", str(device.model), risk.evidence([]), risk.Record(0, 0))
    return risks([device], at=at).get(device.pk, nothing)
