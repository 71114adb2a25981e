"""A person has seen notices, or takes that back."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from notices import selectors
from notices.models import Notice
from twinhealth.errors import NotFoundError


@transaction.atomic
def mark_all(*, user: User, kind: str = "", now: datetime | None = None) -> tuple[int, datetime]:
    """All unread ones, or those of a kind; how many, and the moment by which it can be undone."""
    now = now or timezone.now()
    rows = selectors.unread(user)
    if kind:
        rows = rows.filter(kind=kind)
    return rows.update(read_at=now), now


@transaction.atomic
def mark(*, user: User, pk: int, read: bool = True, now: datetime | None = None) -> Notice:
    """One of the person's own, read or unread.

    Raises:
        NotFoundError: `notice_not_found`, of another person's too.
    """
    found = selectors.lines(user).select_for_update(of=("self",)).filter(pk=pk).first()
    if found is None:
        raise NotFoundError("notice_not_found", "There is no such notice.")
    if read != (found.read_at is not None):
        found.read_at = (now or timezone.now()) if read else None
        found.save(update_fields=["read_at"])
    return found


@transaction.atomic
def undo(*, user: User, at: datetime) -> int:
    """Those that were marked at this moment are unread again; how many."""
    return Notice.objects.filter(user=user, read_at=at).update(read_at=None)
