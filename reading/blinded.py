"""Who reads blind."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet

from accounts.models import User
from accounts.permissions import Can, may
from reading.models import FirstImpression, ReadingGroupMember


def read_first(user: User) -> QuerySet[Any] | None:
    """Numbers of the films of this reader's first impressions; `None` outside blinded groups."""
    if not may(user, Can.FINDING_REVIEW):
        return None  # whoever signs nothing has no first read
    if not ReadingGroupMember.objects.filter(user=user, group__blinded=True).exists():
        return None
    return FirstImpression.objects.filter(reader=user).values("image_id")
