"""The wall board: who needs somebody, why and for how long, to be read from four metres."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from devices.health import Health, sort_key
from devices.models import Alert, AlertState, Device
from devices.models.device import Lifecycle

from .fleet import STATES, machines
from .health import health_many

# an alert is shown as new for so long
NEW_FOR = timedelta(seconds=60)
MOST_ROWS = 60
_SHOWN = {"act", "watch"}


@dataclass(frozen=True, slots=True)
class WallRow:
    """One machine on the wall.

    Attributes:
        since: first reading of the run that made the state; `None` where nothing is known of it.
        is_new: one of its alerts opened within `NEW_FOR`.
        acknowledged: it has alerts, and somebody has taken each of them.
    """

    device: Device
    health: Health
    since: datetime | None
    is_new: bool
    acknowledged: bool


@dataclass(frozen=True, slots=True)
class Wall:
    """What the board shows.

    Attributes:
        rows: machines that need action, then those to watch; new alerts first among each.
        counts: machines in service by state.
        out_of_service: machines that are down; they are counted and not listed.
    """

    rows: list[WallRow]
    counts: dict[str, int]
    out_of_service: int
    rooms: list[str]

    @property
    def total(self) -> int:
        """Machines in service."""
        return sum(self.counts.values())


def wall(*, at: datetime, rooms: Collection[str] = ()) -> Wall:
    """The board of the whole fleet or of some rooms; four queries.

    Args:
        at: now.
        rooms: only these locations; empty: all.
    """
    found = [d for d in machines() if not rooms or d.location in rooms]
    serving = [d for d in found if d.lifecycle == Lifecycle.IN_SERVICE]
    healths = health_many(serving, at, brief=True)
    listed = [d for d in serving if healths[d.pk].state in _SHOWN]
    alerts: dict[int, list[tuple[str, datetime]]] = defaultdict(list)
    unresolved = Alert.objects.filter(device__in=listed).exclude(state=AlertState.RESOLVED)
    for device_id, state, opened_at in unresolved.order_by().values_list(
        "device", "state", "opened_at"
    ):
        alerts[device_id].append((state, opened_at))
    rows = [_row(d, healths[d.pk], alerts[d.pk], at) for d in listed]
    rows.sort(key=_urgency)
    counts = Counter(str(health.state) for health in healths.values())
    return Wall(
        rows=rows[:MOST_ROWS],
        counts={name: counts.get(name, 0) for name in STATES},
        out_of_service=len(found) - len(serving),
        rooms=sorted(rooms),
    )


def _row(
    device: Device, health: Health, alerts: list[tuple[str, datetime]], at: datetime
) -> WallRow:
    return WallRow(
        device=device,
        health=health,
        since=health.worst.since if health.worst else None,
        is_new=any(at - opened_at <= NEW_FOR for _, opened_at in alerts),
        acknowledged=bool(alerts) and all(s == AlertState.ACKNOWLEDGED for s, _ in alerts),
    )


def _urgency(row: WallRow) -> tuple[int, bool, bool, int, int, str]:
    state, score = sort_key(row.health)
    name = row.device.name.casefold()
    return (state, not row.is_new, row.acknowledged, -row.device.criticality, score, name)
