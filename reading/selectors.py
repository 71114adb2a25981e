"""Reads of the reading room's pages: what was signed today, what can be taken back."""

from __future__ import annotations

from datetime import datetime

from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from detection.models import Review, Signature
from reading.models import Addendum


def signed_today(*, now: datetime | None = None) -> QuerySet[Signature]:
    """Signatures since midnight in the hospital's zone, newest first, joined for a table."""
    midnight = timezone.localtime(now).replace(hour=0, minute=0, second=0, microsecond=0)
    return (
        Signature.objects.filter(at__gte=midnight)
        .select_related("by", "image__series__study__patient", "image__device")
        .order_by("-at", "-id")
    )


def last_verdict(*, image_id: int, user: User) -> Review | None:
    """The reader's own newest verdict on a film that isn't taken back; `None` without one."""
    return (
        Review.objects.filter(image_id=image_id, by=user, withdrawn_at=None)
        .order_by("at", "id")
        .last()
    )


def addenda_of(signature: Signature | None) -> list[Addendum]:
    """What was added under a signature, oldest first; empty without one."""
    return list(Addendum.objects.filter(signature=signature)) if signature else []
