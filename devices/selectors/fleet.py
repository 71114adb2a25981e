"""The fleet: which machine needs somebody, worst first, in a constant number of queries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, Q
from django.utils import timezone

from devices.health import Health, sort_key
from devices.models import Alert, AlertState, Device
from devices.models.device import Lifecycle
from devices.rules import CheckResult
from devices.selectors_plans import NextDue, next_due_many

from .health import health_many
from .risk import Risk, risks

STATES = ("act", "watch", "unknown", "ok")


@dataclass(frozen=True, slots=True)
class FleetRow:
    """One machine as the fleet shows it."""

    device: Device
    health: Health
    open_alerts: int
    images_today: int
    next_due: NextDue | None
    risk: Risk | None = None  # None: as of a moment before it was registered

    @property
    def because(self) -> CheckResult | None:
        """The check that makes the state."""
        return self.health.worst


@dataclass(frozen=True, slots=True)
class Fleet:
    """The rows that the filters leave, and how many there are of each state without that filter."""

    rows: list[FleetRow]
    counts: dict[str, int]
    rooms: list[str]
    alerts_open: int
    alerts_acknowledged: int


_Key = Callable[[FleetRow], Any]
ORDERINGS: dict[str, _Key] = {
    "state": lambda r: (*sort_key(r.health), -r.device.criticality, r.device.name),
    "name": lambda r: r.device.name.casefold(),
    "location": lambda r: (r.device.location.casefold(), r.device.name.casefold()),
    "alerts": lambda r: (r.open_alerts, r.device.name),
    "images": lambda r: (r.images_today, r.device.name),
    "risk": lambda r: r.risk.chance.probability if r.risk and r.risk.chance else -1.0,
    "due": lambda r: (r.next_due is None, r.next_due.due_on.toordinal() if r.next_due else 0),
}


def machines(*, room: str = "", q: str = "") -> list[Device]:
    """Machines that aren't retired, by name."""
    found = Device.objects.select_related("model").exclude(lifecycle=Lifecycle.RETIRED)
    if room:
        found = found.filter(location=room)
    if q:
        found = found.filter(
            Q(name__icontains=q)
            | Q(serial__icontains=q)
            | Q(location__icontains=q)
            | Q(model__name__icontains=q)
            | Q(aliases__value__icontains=q)
        ).distinct()
    return list(found.order_by("name", "pk"))


def rows_of(devices: Sequence[Device], *, at: datetime, brief: bool = False) -> list[FleetRow]:
    """A row per machine; at most ten queries. `brief` as of `health_many`."""
    healths = health_many(devices, at, brief=brief)
    day = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    ids = [d.pk for d in devices]
    pictures = dict(
        Device.objects.filter(pk__in=ids, images__acquired_at__gte=day, images__acquired_at__lte=at)
        .annotate(n=Count("images"))
        .values_list("pk", "n")
    )
    unresolved = Alert.objects.filter(device__in=ids).exclude(state=AlertState.RESOLVED)
    alerts = dict(unresolved.order_by().values_list("device").annotate(Count("pk")))
    due = next_due_many(devices)
    chances = risks(devices, at=at)
    return [
        FleetRow(
            device=d,
            health=healths[d.pk],
            open_alerts=alerts.get(d.pk, 0),
            images_today=pictures.get(d.pk, 0),
            next_due=due.get(d.pk),
            risk=chances.get(d.pk),
        )
        for d in devices
    ]


def fleet(
    *,
    at: datetime,
    state: str = "",
    room: str = "",
    q: str = "",
    ordering: str = "state",
    brief: bool = False,
) -> Fleet:
    """The fleet's page and list.

    Args:
        at: health as of this moment.
        state: only machines of this health state.
        room: only this location.
        q: part of a name, serial, alias, room or model.
        ordering: a key of `ORDERINGS`, `-` in front for the other way round; worst first unless
            known.
        brief: as of `health_many`, where only failing checks are shown.
    """
    rows = rows_of(machines(room=room, q=q), at=at, brief=brief)
    counts = Counter(str(row.health.state) for row in rows)
    if state in STATES:
        rows = [row for row in rows if row.health.state == state]
    rows.sort(
        key=ORDERINGS.get(ordering.removeprefix("-"), ORDERINGS["state"]),
        reverse=ordering.startswith("-"),
    )
    rooms = (
        Device.objects.exclude(lifecycle=Lifecycle.RETIRED)
        .exclude(location="")
        .values_list("location", flat=True)
        .distinct()
        .order_by("location")
    )
    waiting = dict(
        Alert.objects.exclude(state=AlertState.RESOLVED)
        .order_by()
        .values_list("state")
        .annotate(Count("pk"))
    )
    return Fleet(
        rows=rows,
        counts={name: counts.get(name, 0) for name in STATES},
        rooms=list(rooms),
        alerts_open=waiting.get(AlertState.OPEN, 0),
        alerts_acknowledged=waiting.get(AlertState.ACKNOWLEDGED, 0),
    )
