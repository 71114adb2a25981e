"""Reads of critical results and on-call lists."""

from __future__ import annotations

from django.db.models import Q, QuerySet

from accounts.models import User
from reading.models import CriticalResult, CriticalState, OnCallList


def results(*, state: str = "") -> QuerySet[CriticalResult]:
    """Critical results with patient, told person and attempts; open ones first, oldest first."""
    rows = CriticalResult.objects.select_related(
        "told", "image__series__study__patient"
    ).prefetch_related("attempts")
    if state:
        rows = rows.filter(state=state)
    return rows.order_by("-state", "opened_at", "id")


def open_results() -> QuerySet[CriticalResult]:
    """What is not acknowledged yet."""
    return results(state=CriticalState.OPEN)


def waiting_for(user: User) -> QuerySet[CriticalResult]:
    """Open ones that this reader must act on: told last, or nobody is left on the list to tell."""
    return CriticalResult.objects.filter(state=CriticalState.OPEN).filter(
        Q(told=user, next_at__isnull=False) | Q(next_at=None)
    )


def acknowledged() -> QuerySet[CriticalResult]:
    """What somebody repeated, newest first."""
    return results(state=CriticalState.ACKNOWLEDGED).order_by("-closed_at", "-id")


def lists() -> QuerySet[OnCallList]:
    """On-call lists with their people in order."""
    return OnCallList.objects.prefetch_related("steps__user")
