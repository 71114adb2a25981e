"""The parts of a machine, now or as of a past moment, and how much each was used."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Case, F, Max, Q, QuerySet, Sum, Value, When, Window
from django.db.models.functions import Lag

from devices.models import Component, Device, Metric, Reading

MAX_ROWS = 50


@dataclass(frozen=True, slots=True)
class Use:
    """What a counter says of a part: `value` in `metric.unit`, `None` where no reading tells."""

    metric: Metric
    value: float | None
    until: datetime | None  # the newest reading that it rests on


@dataclass(frozen=True, slots=True)
class PartRow:
    """A part with its use."""

    component: Component
    uses: list[Use]
    live: bool  # in the machine at the moment asked for


def _use(component: Component, metric: Metric, at: datetime) -> Use:
    """What the counter has grown by between installation and removal.

    A value below the one before means that the counter began again at zero, so all it shows then
    is new. It begins with what a person read off at the installation, else with the last reading
    before, else with the first one after.
    """
    end = min(at, component.removed_at) if component.removed_at else at
    readings = Reading.objects.filter(device=component.device_id, metric=metric)
    start = component.counters.get(metric.key)
    if start is None:
        earlier = readings.filter(measured_at__lte=component.installed_at)
        start = earlier.order_by("-measured_at").values_list("value", flat=True).first()
    before = Window(Lag("value", default=start), order_by=F("measured_at").asc())
    steps = readings.filter(measured_at__gt=component.installed_at, measured_at__lte=end).annotate(
        before=before
    )
    growth = Case(
        When(before=None, then=Value(0.0)),
        When(value__gte=F("before"), then=F("value") - F("before")),
        default=F("value"),
    )
    found = steps.annotate(growth=growth).aggregate(total=Sum("growth"), last=Max("measured_at"))
    total = found["total"]
    return Use(metric, 0.0 if total is None and start is not None else total, found["last"])


def parts(device: Device, *, at: datetime | None, now: datetime) -> list[PartRow]:
    """Parts that are in the machine, then those that were; voided entries are left out.

    Two queries, and two for each counter of each part.

    Args:
        device: whose.
        at: as of this moment; `None` for now.
        now: our time.
    """
    moment = at or now
    listed = (
        Component.objects.select_related("installed_by", "removed_by")
        .filter(device=device, voided_at=None, installed_at__lte=moment)
        .order_by(F("removed_at").desc(nulls_first=True), "kind", "position")[:MAX_ROWS]
    )
    counters: dict[str, list[Metric]] = {}
    for metric in Metric.objects.filter(device_model=device.model_id).exclude(counter_of=""):
        counters.setdefault(metric.counter_of, []).append(metric)
    rows = [
        PartRow(
            part,
            [_use(part, metric, moment) for metric in counters.get(part.kind, [])],
            part.removed_at is None or part.removed_at > moment,
        )
        for part in listed
    ]
    return sorted(rows, key=lambda row: not row.live)


def counters_of(device: Device, kind: str = "") -> QuerySet[Metric]:
    """The counters of the machine's model, of one kind of part where told."""
    chosen = Q(counter_of=kind) if kind else ~Q(counter_of="")
    return Metric.objects.filter(chosen, device_model=device.model_id).order_by("label")


def as_json(row: PartRow) -> dict[str, Any]:
    """The row as REST shows it."""
    part = row.component
    return {
        "id": part.pk,
        "kind": part.kind,
        "position": part.position,
        "serial": part.serial,
        "manufacturer": part.manufacturer,
        "model": part.model_name,
        "udi_di": part.udi_di,
        "udi_pi": part.udi_pi,
        "installed_at": part.installed_at,
        "removed_at": part.removed_at,
        "install_reason": part.install_reason,
        "removal_reason": part.removal_reason,
        "live": row.live,
        "counters": [
            {
                "metric": use.metric.key,
                "unit": use.metric.unit,
                "since_installation": use.value,
                "until": use.until,
            }
            for use in row.uses
        ],
    }
