"""Signed sessions that stand: those that no signed correction took the place of."""

from __future__ import annotations

from django.db.models import QuerySet

from quality.models import QASession, SessionState


def signed() -> QuerySet[QASession]:
    """All that stand."""
    return QASession.objects.filter(state=SessionState.SIGNED).exclude(
        superseded_by__state=SessionState.SIGNED
    )


def standing(device_id: int, protocol_id: int) -> list[QASession]:
    """Of one protocol on one machine, in the order in which was measured."""
    found = signed().filter(device=device_id, protocol=protocol_id)
    return list(found.select_related("protocol").order_by("performed_at", "pk"))
