"""Failures of years ago, so that rates are known, and a scenario that was kept; all synthetic."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import User
from devices.models import Device, Downtime
from devices.services import downtimes
from planning.assumptions import Assumptions
from planning.changes import Change, many
from planning.models import Scenario
from planning.selectors.what_if import what_if
from planning.services import scenarios

NOTED_DAYS = 900
# machine, days ago, hours down: longer ago than the figures' usual period
FAILURES = (
    ("XR-1", 640, 9, "Generator fault"),
    ("XR-2", 410, 30, "Detector does not connect"),
    ("XR-3", 300, 6, "Collimator is stuck"),
    ("MX-1", 150, 50, "Drive battery dead"),
)


def seed_planning(*, devices: list[Device], admin: User, engineer: User, now: datetime) -> None:
    """Past failures of the machines, and one scenario simulated as an admin would."""
    by_name = {device.name: device for device in devices}
    Device.objects.filter(pk__in=[each.pk for each in devices]).update(
        noted_since=now - timedelta(days=NOTED_DAYS)
    )
    for name, days, hours, reason in FAILURES:
        begin = now - timedelta(days=days)
        made = downtimes.create(
            actor=engineer,
            device=by_name[name],
            reason=f"{reason} (synthetic)",
            starts_at=begin,
            ends_at=begin + timedelta(hours=hours),
        )
        Downtime.objects.filter(pk=made.pk).update(is_synthetic=True)
    today = timezone.localdate(now)
    changes = many(
        [
            Change("engineer", day=today, until=today + timedelta(days=13)),
            Change("part", machine=by_name["XR-2"].pk),
        ]
    )
    given = Assumptions()
    _, result = what_if(changes, given, now=now)
    kept = scenarios.keep(
        actor=admin,
        name="A second engineer for two weeks, a detector in stock",
        changes=changes,
        given=given,
        result=result,
    )
    Scenario.objects.filter(pk=kept.pk).update(is_synthetic=True)
