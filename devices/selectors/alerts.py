"""Lists of alerts and of machines that wait to be registered."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from django.db.models import (
    Case,
    Count,
    DurationField,
    F,
    IntegerField,
    Q,
    QuerySet,
    Value,
    When,
)
from django.utils import timezone

from accounts.models import User
from accounts.permissions import TABLE, Can
from devices.models import Alert, AlertGroup, AlertState, InboxEntry
from devices.models.alert import ResolveReason, Withheld
from devices.models.device_model import Severity
from devices.models.inbox import InboxState

from .evidence import WAITS

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


NEEDED_ACTION = (ResolveReason.REPAIRED, ResolveReason.ADJUSTED)
STALE = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class AlertFilter:
    """What the list can be narrowed by; empty means all."""

    state: str = ""  # a stored state, or `unresolved`
    severity: str = ""
    device: int | None = None
    snoozed: bool | None = None  # None: both
    mine: int | None = None  # a user's id
    unassigned: bool = False
    muted: bool = False  # of the latest news nobody was told, since the machine is in maintenance
    withheld: str = ""  # how it opened: a value of `Withheld`
    group: int | None = None  # of this incident, its head included
    grouped: bool = False  # of any incident that goes on
    room: str = ""
    rule: int | None = None
    reason: str = ""  # why it was resolved; `action`: a reason that needed somebody's hands
    acknowledged: bool = False  # somebody did, whatever it is now
    stale: bool = False  # lasted longer than `STALE`
    start: datetime | None = None  # opened from then on
    end: datetime | None = None  # and before then

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
        if self.unassigned:
            found &= Q(assigned_to=None)
        if self.muted:
            found &= Q(withheld=Withheld.MAINTENANCE)
        if self.snoozed is True:
            found &= Q(snoozed_until__gt=now)
        elif self.snoozed is False:
            found &= Q(snoozed_until=None) | Q(snoozed_until__lte=now)
        return found & self._incident() & self._past(now)

    def _incident(self) -> Q:
        found = Q()
        if self.group is not None:
            heads = AlertGroup.objects.filter(pk=self.group).values("head")
            found &= Q(group=self.group) | Q(pk__in=heads)
        if self.grouped:
            found &= IN_LIVE_GROUP | Q(pk__in=live_heads())
        return found

    def _past(self, now: datetime) -> Q:
        found = Q()
        if self.withheld in Withheld.values and self.withheld:
            found &= Q(opened_withheld=self.withheld)
        if self.room:
            found &= Q(device__location=self.room)
        if self.rule is not None:
            found &= Q(rule=self.rule)
        if self.reason == "action":
            found &= Q(resolve_reason__in=NEEDED_ACTION)
        elif self.reason in ResolveReason.values:
            found &= Q(resolve_reason=self.reason)
        if self.acknowledged:
            found &= Q(acknowledged_at__isnull=False)
        if self.stale:
            found &= Q(resolved_at=None, opened_at__lt=now - STALE) | Q(
                resolved_at__gt=F("opened_at") + Value(STALE, output_field=DurationField())
            )
        if self.start is not None:
            found &= Q(opened_at__gte=self.start)
        if self.end is not None:
            found &= Q(opened_at__lt=self.end)
        return found

    @property
    def is_plain(self) -> bool:
        """The list as it opens, where an incident is one row; anything chosen shows every alert."""
        return replace(self, snoozed=None) == AlertFilter(state="unresolved")


IN_LIVE_GROUP = Q(group__isnull=False, group__ended_at=None)


def live_heads() -> QuerySet[AlertGroup, Any]:
    """Heads of the incidents that go on."""
    return AlertGroup.objects.filter(ended_at=None).values("head")


def alerts(
    chosen: AlertFilter, *, now: datetime, ordering: str = "", folded: bool = False
) -> QuerySet[Alert]:
    """Alerts with what a row shows, most urgent first unless told otherwise.

    Args:
        chosen: which.
        now: for snoozes.
        ordering: a key of `ORDERINGS`, with `-` in front the other way round.
        folded: of an incident that goes on, its head alone.
    """
    field = ORDERINGS.get(ordering.removeprefix("-"), "urgency")
    by = F(field).desc() if ordering.startswith("-") else F(field).asc()
    found = (
        Alert.objects.select_related(
            "device", "rule__metric", "acknowledged_by", "assigned_to", "resolved_by", "group"
        )
        .annotate(urgency=_URGENCY, waits_for_evidence=WAITS)
        .filter(chosen.q(now))
        .order_by(by, "-opened_at", "-pk")
    )
    return found.exclude(IN_LIVE_GROUP & UNRESOLVED) if folded else found


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the list; the head of an incident has the others beneath it."""

    alert: Alert
    group: AlertGroup | None
    members: list[Alert]

    @property
    def machines(self) -> int:
        """How many machines the incident concerns."""
        return len({self.alert.device_id} | {m.device_id for m in self.members})


def rows(page: Iterable[Alert], *, folded: bool) -> list[Row]:
    """The page's alerts; where folded, with the unresolved members of incidents, in two queries."""
    listed = list(page)
    if not folded:
        return [Row(alert, None, []) for alert in listed]
    groups = {
        group.head_id: group for group in AlertGroup.objects.filter(head__in=listed, ended_at=None)
    }
    members: dict[int, list[Alert]] = defaultdict(list)
    if groups:
        found = alerts(AlertFilter(state="unresolved"), now=timezone.now())
        for member in found.filter(group__in=groups.values()):
            members[member.group_id or 0].append(member)
    return [
        Row(alert, group := groups.get(alert.pk), members[group.pk] if group else [])
        for alert in listed
    ]


def incident_of(alert: Alert) -> AlertGroup | None:
    """The incident to which the alert belongs or that it heads; the one that goes on first."""
    found = AlertGroup.objects.filter(Q(head=alert) | Q(members=alert)).select_related("head")
    return (
        found.annotate(size=Count("members", distinct=True))
        .order_by(F("ended_at").desc(nulls_first=True), "-pk")
        .first()
    )


def counts(chosen: AlertFilter, *, now: datetime) -> dict[str, int]:
    """How many there are of each state under the other filters."""
    other = replace(chosen, state="")
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
