"""Spans of time to look at, with what the house settled."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from devices.notice_kinds import Span

from .models import NoticePolicy

ESCALATE_DAYS, HOLD_DAYS = 3, 7  # until an admin settles others


def policy_now() -> NoticePolicy:
    """The newest; until an admin settles one, a row not stored, number 0."""
    return NoticePolicy.objects.first() or NoticePolicy(
        number=0, escalate_days=ESCALATE_DAYS, hold_days=HOLD_DAYS
    )


def policies() -> QuerySet[NoticePolicy]:
    """All that were settled, newest first."""
    return NoticePolicy.objects.all()


def span(since: datetime, until: datetime, ahead: Iterable[int] = ()) -> Span:
    """From one moment to another in the hospital's zone, in one query."""
    policy = policy_now()
    return Span(
        since=since,
        until=until,
        zone=timezone.get_default_timezone(),
        ahead=frozenset(ahead),
        escalate_days=policy.escalate_days,
        hold_days=policy.hold_days,
    )
