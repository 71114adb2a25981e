"""The policy of alerts that holds, and those before."""

from __future__ import annotations

from django.conf import settings
from django.db.models import QuerySet

from devices.models import AlertPolicy


def policy_now() -> AlertPolicy:
    """The newest; until an admin settles one, the settings' minutes: a row not stored, number 0."""
    return AlertPolicy.objects.first() or AlertPolicy(
        number=0,
        escalate_minutes=settings.ALERT_ESCALATE_MINUTES,
        group_minutes=settings.ALERT_GROUP_MINUTES,
    )


def history() -> QuerySet[AlertPolicy]:
    """All that were settled, newest first."""
    return AlertPolicy.objects.all()
