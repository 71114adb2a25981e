"""Incidents: alerts of machines on one supply that come within some minutes of each other."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Q

from devices.models import Alert, AlertGroup, AlertState, Supply, SupplyMember
from devices.models.alert import Withheld
from devices.models.device_model import Severity
from devices.selectors.alert_policy import policy_now


def window() -> timedelta:
    """How long after an incident's newest alert another one still belongs to it."""
    return timedelta(minutes=policy_now().group_minutes)


def _hold(alert: Alert) -> set[int]:
    """Lock what the alert's machine hangs on, and its incident's supply; those of the machine.

    Always before an incident's row and in one order: whoever has written one incident may have to
    look for another one.
    """
    mine = set(
        SupplyMember.objects.filter(device=alert.device_id).values_list("supply_id", flat=True)
    )
    theirs = AlertGroup.objects.filter(Q(head=alert.pk) | Q(pk=alert.group_id), ended_at=None)
    wanted = mine | set(theirs.exclude(supply=None).values_list("supply_id", flat=True))
    list(Supply.objects.filter(pk__in=wanted).order_by("pk").select_for_update())
    return mine


def join(alert: Alert, now: datetime) -> None:
    """Put an alert that just came into an incident, if one goes on or begins with it.

    The caller holds the device's twin; the supplies are locked after it, so that of two alerts
    that come at once the second sees the first. The head is always one of which people were
    told: an alert that is muted or snoozed must not silence others.
    """
    if in_live_group(alert):
        return
    supplies = list(Supply.objects.filter(pk__in=_hold(alert)).order_by("pk"))
    if not supplies:
        return
    # of a rule that is switched off nobody looks whether it still fails
    told = Alert.objects.exclude(state=AlertState.RESOLVED).filter(
        withheld=Withheld.NOT, rule__enabled=True
    )
    group = (
        AlertGroup.objects.select_for_update(of=("self",))
        .filter(
            supply__in=supplies,
            ended_at=None,
            last_at__gte=now - window(),
            head__in=told.filter(cleared_at=None),
        )
        .order_by("opened_at", "pk")
        .first()
    )
    if group is not None:
        group.last_at = max(group.last_at, now)
        group.save(update_fields=["last_at"])
        alert.group = group
        return
    head = (
        told.filter(
            device__in=SupplyMember.objects.filter(supply__in=supplies).values("device"),
            news_at__gte=now - window(),
            cleared_at=None,
        )
        .exclude(pk=alert.pk)
        .exclude(pk__in=AlertGroup.objects.filter(ended_at=None).values("head"))
        .exclude(group__ended_at=None, group__isnull=False)
        .order_by("news_at", "pk")
        .first()
    )
    if head is not None:
        alert.group = _begin(head, supplies, now)


def _begin(head: Alert, supplies: list[Supply], now: datetime) -> AlertGroup:
    shared = SupplyMember.objects.filter(device=head.device_id, supply__in=supplies)
    shared_ids = set(shared.values_list("supply", flat=True))
    supply = next(s for s in supplies if s.pk in shared_ids)
    # the head's own row is its machine's; the incident names it, and nothing is written there
    return AlertGroup.objects.create(
        supply=supply,
        label=supply.name,
        head=head,
        severity=head.severity,
        opened_at=head.news_at,
        last_at=now,
    )


def in_live_group(alert: Alert) -> bool:
    """True for a member, head or not, of an incident that goes on."""
    if alert.group is not None and alert.group.ended_at is None:
        return True
    return AlertGroup.objects.filter(head=alert.pk, ended_at=None).exists()


def hides(alert: Alert) -> bool:
    """True where the incident's head speaks for the alert; a severer one speaks for itself."""
    group = alert.group
    if group is None or group.ended_at is not None:
        return False
    return not (alert.severity == Severity.ACT and group.severity == Severity.WATCH)


def spoke(alert: Alert) -> None:
    """People were told of a member; its incident is as severe as that from now on."""
    if alert.severity == Severity.ACT:
        _hold(alert)
        AlertGroup.objects.filter(Q(head=alert.pk) | Q(pk=alert.group_id), ended_at=None).update(
            severity=Severity.ACT
        )


def end(head: Alert, now: datetime) -> bool:
    """The head is resolved: members stand on their own; true if there were any."""
    _hold(head)
    return bool(AlertGroup.objects.filter(head=head.pk, ended_at=None).update(ended_at=now))
