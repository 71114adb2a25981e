"""One twin, now or as of a past moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Prefetch
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from devices import projection
from devices.charts import columns
from devices.clock import words
from devices.drift import drift
from devices.health import ORDER, Health
from devices.models import Alert, Device, DeviceKey, Metric, Rule, TwinEvent, TwinState
from devices.models.device import Lifecycle
from devices.rules import number
from twinhealth.errors import NotFoundError
from twinhealth.web.ucum import unit_text

from .health import health_at
from .readings import series
from .snapshots import events_after, newest_snapshot

JOURNAL_ROWS = 50
ALERT_ROWS = 50


def get(device_id: int) -> Device:
    """The machine with its model.

    Raises:
        NotFoundError: `device_not_found`.
    """
    found = Device.objects.select_related("model").filter(pk=device_id).first()
    if found is None:
        raise NotFoundError("device_not_found", "There is no such machine.")
    return found


def state_at(device: Device, at: datetime | None) -> dict[str, Any]:
    """The projected state: the stored one, or the fold of the events up to `at`.

    A past one begins at the snapshot before it; two queries, at most `snapshots.EVERY` events.
    """
    if at is None:
        twin = TwinState.objects.filter(device=device).first()
        return twin.state if twin and twin.state else projection.empty()
    base = newest_snapshot(device.pk, at)
    return projection.fold(
        events_after(device.pk, base).filter(at__lte=at), base.state if base else None
    )


@dataclass(frozen=True, slots=True)
class ConfigRow:
    """One key of the configuration."""

    key: str
    desired: Any
    reported: Any
    since: datetime | None
    drifted: bool


@dataclass(frozen=True, slots=True)
class Twin:
    """What both the page and REST show.

    `at` is `None` for now; `registered` is False for a moment before the machine was known.
    """

    device: Device
    at: datetime | None
    health: Health
    state: dict[str, Any]

    @property
    def registered(self) -> bool:
        """Known as of that moment."""
        return self.at is None or self.device.registered_at <= self.at

    @property
    def lifecycle(self) -> str:
        """As of that moment."""
        return self.device.lifecycle if self.at is None else str(self.state["lifecycle"])

    @property
    def lifecycle_label(self) -> str:
        """In words."""
        return str(Lifecycle(self.lifecycle).label)

    @property
    def desired(self) -> dict[str, Any]:
        """Wanted configuration."""
        if self.at is None:
            return dict(self.device.desired_config)
        return projection.values(self.state["desired"])

    @property
    def reported(self) -> dict[str, Any]:
        """Configuration as the machine says."""
        return projection.values(self.state["reported"])

    @property
    def drift(self) -> list[dict[str, Any]]:
        """Where the two differ."""
        return drift(self.desired, self.state["reported"])

    @property
    def clock(self) -> str:
        """How far its clock is off, in words; empty where nothing is known against it."""
        noted = self.state.get("clock")
        if not noted or noted["state"] == "right":
            return ""
        return words(noted["state"], noted["seconds"])

    @property
    def config(self) -> list[ConfigRow]:
        """Both side by side, by key."""
        drifted = {entry["key"] for entry in self.drift}
        reported = self.state["reported"]
        return [
            ConfigRow(
                key=key,
                desired=self.desired.get(key),
                reported=reported.get(key, {}).get("value"),
                since=parse_datetime(reported[key]["since"]) if key in reported else None,
                drifted=key in drifted,
            )
            for key in sorted({*self.desired, *reported})
        ]


def twin(device: Device, *, at: datetime | None, now: datetime) -> Twin:
    """The twin now or as of a past moment; four queries."""
    return Twin(device, at, health_at(device, at or now), state_at(device, at))


def metrics(device: Device) -> list[Metric]:
    """The model's metrics with their enabled rules; two queries."""
    rules = Prefetch("rules", Rule.objects.filter(enabled=True).order_by("severity"))
    return list(device.model.metrics.prefetch_related(rules).order_by("label"))


def journal(device: Device, at: datetime | None = None) -> list[TwinEvent]:
    """The newest events."""
    events = TwinEvent.objects.select_related("actor").filter(device=device)
    if at is not None:
        events = events.filter(at__lte=at)
    return list(events.order_by("-at", "-revision")[:JOURNAL_ROWS])


def keys(device: Device, now: datetime) -> list[tuple[DeviceKey, str]]:
    """The machine's own keys, newest first, each with its state."""
    found = device.keys.select_related("created_by", "revoked_by")
    return [(key, key.state(now)) for key in found]


def alerts(device: Device, at: datetime | None = None) -> list[Alert]:
    """The newest alerts, unresolved ones first."""
    found = Alert.objects.select_related("rule__metric", "acknowledged_by", "assigned_to").filter(
        device=device
    )
    if at is not None:
        found = found.filter(opened_at__lte=at)
    listed = list(found.order_by("-opened_at")[:ALERT_ROWS])
    return sorted(listed, key=lambda a: a.state == "resolved")


@dataclass(frozen=True, slots=True)
class Charts:
    """All charts on one time axis; `data` is JSON for the page's script."""

    resolution: str
    start: datetime
    end: datetime
    data: dict[str, Any]
    silent: list[Metric]  # metrics without a reading in the span


def charts(
    device: Device,
    *,
    end: datetime,
    span: timedelta,
    journal_rows: list[TwinEvent],
    only: int | None = None,
    health: Health | None = None,
) -> Charts:
    """Readings, limits and event marks of a span; three queries.

    Metrics whose checks are worst come first, then the other watched ones, then the rest.

    Args:
        device: whose.
        end: last moment.
        span: how far back.
        journal_rows: events that become marks.
        only: one metric's id.
        health: whose checks decide the order.
    """
    start = end - span
    listed = [m for m in metrics(device) if only is None or m.pk == only]
    metric = listed[0] if only is not None and listed else None
    resolution, found = series(device=device, start=start, end=end, metric=metric)
    rank: dict[str, int] = {}
    for check in health.checks if health else ():
        rank[check.metric] = min(ORDER[check.state], rank.get(check.metric, len(ORDER)))
    shown = [m for m in listed if m.pk in found]
    shown.sort(key=lambda m: (rank.get(m.key, len(ORDER)), m.label))
    data = {
        "start": start.timestamp(),
        "end": end.timestamp(),
        "resolution": resolution,
        "zone": timezone.get_current_timezone_name(),
        "marks": [
            {"t": e.at.timestamp(), "kind": e.kind, "label": e.get_kind_display()}
            for e in reversed(journal_rows)
            if start <= e.at <= end
        ],
        "charts": [
            {
                "key": m.key,
                "label": m.label,
                "unit": unit_text(m.unit),
                "limits": [
                    {"severity": r.severity, "value": value, "text": number(value)}
                    for r in m.rules.all()
                    for value in (r.low, r.high)
                    if value is not None
                ],
                **columns(found[m.pk]),
            }
            for m in shown
        ],
    }
    return Charts(resolution, start, end, data, [m for m in listed if m.pk not in found])
