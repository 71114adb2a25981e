"""Lists of alerts and of machines that wait to be registered."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When

from accounts.models import User
from accounts.permissions import TABLE, Can
from devices.models import Alert, AlertState, InboxEntry
from devices.models.device_model import Severity
from devices.models.inbox import InboxState

UNRESOLVED = Q(state__in=[AlertState.OPEN, AlertState.ACKNOWLEDGED])
_URGENCY = Case(
    When(state=AlertState.RESOLVED, then=Value(4)),
    When(severity=Severity.ACT, state=AlertState.OPEN, then=Value(0)),
    When(severity=Severity.ACT, then=Value(1)),
    When(state=AlertState.OPEN, then=Value(2)),
    default=Value(3),
    output_field=IntegerField(),
)
ORDERINGS: dict[str, str] = {
    "urgency": "urgency",
    "since": "since",
    "opened": "opened_at",
    "seen": "last_seen_at",
    "machine": "device__name",
    "state": "state",
    "recurrences": "recurrences",
}


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """What the list can be narrowed by; empty means all."""

    state: str = ""  # a stored state, or `unresolved`
    severity: str = ""
    device: int | None = None
    snoozed: bool | None = None  # None: both
    mine: int | None = None  # a user's id

    def q(self, now: datetime) -> Q:
        """The rows."""
        found = Q()
        if self.state == "unresolved":
            found &= UNRESOLVED
        elif self.state in AlertState.values:
            found &= Q(state=self.state)
        if self.severity in Severity.values:
            found &= Q(severity=self.severity)
        if self.device is not None:
            found &= Q(device=self.device)
        if self.mine is not None:
            found &= Q(assigned_to=self.mine)
        if self.snoozed is True:
            found &= Q(snoozed_until__gt=now)
        elif self.snoozed is False:
            found &= Q(snoozed_until=None) | Q(snoozed_until__lte=now)
        return found


def alerts(chosen: AlertFilter, *, now: datetime, ordering: str = "") -> QuerySet[Alert]:
    """Alerts with what a row shows, most urgent first unless told otherwise."""
    field = ORDERINGS.get(ordering.removeprefix("-"), "urgency")
    by = F(field).desc() if ordering.startswith("-") else F(field).asc()
    return (
        Alert.objects.select_related(
            "device", "rule__metric", "acknowledged_by", "assigned_to", "resolved_by"
        )
        .annotate(urgency=_URGENCY)
        .filter(chosen.q(now))
        .order_by(by, "-opened_at", "-pk")
    )


def counts(chosen: AlertFilter, *, now: datetime) -> dict[str, int]:
    """How many there are of each state under the other filters."""
    other = AlertFilter(severity=chosen.severity, device=chosen.device, snoozed=chosen.snoozed)
    rows = Alert.objects.filter(other.q(now)).order_by().values_list("state").annotate(Count("pk"))
    found = dict(rows)
    known = {state: found.get(state, 0) for state in AlertState.values}
    return {**known, "unresolved": known[AlertState.OPEN] + known[AlertState.ACKNOWLEDGED]}


def alert_workers() -> QuerySet[User]:
    """Who may be given an alert."""
    roles = [role for role, allowed in TABLE.items() if Can.ALERT_WORK in allowed]
    return User.objects.filter(is_active=True, role__in=roles).order_by("username")


def inbox(state: str = InboxState.OPEN) -> QuerySet[InboxEntry]:
    """Machines seen and not registered, the ones with most images first; empty state: all."""
    found = InboxEntry.objects.select_related("device", "decided_by")
    if state in InboxState.values:
        found = found.filter(state=state)
    return found.order_by("-image_count", "-last_seen_at", "pk")
