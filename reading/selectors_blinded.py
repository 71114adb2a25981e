"""Reads of first impressions and reading groups."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import Q, QuerySet

from accounts.models import User
from reading.models import FirstImpression, ReadingGroup


def impressions_of(image_id: int, *, user: User, signed: bool) -> list[FirstImpression]:
    """First impressions of a film, oldest first: before the signature one's own alone."""
    own = Q() if signed else Q(reader=user)
    return list(FirstImpression.objects.filter(own, image_id=image_id))


def own_of(impressions: Iterable[FirstImpression], user: User) -> FirstImpression | None:
    """The reader's own among them."""
    return next((row for row in impressions if row.reader_id == user.pk), None)


def drawn_blind(impressions: Iterable[FirstImpression]) -> set[int]:
    """Numbers of the added boxes that were drawn before the model was shown."""
    return {box["review"] for row in impressions if not row.seen_before for box in row.boxes}


def groups() -> QuerySet[ReadingGroup]:
    """All groups by name, with their readers at hand."""
    return ReadingGroup.objects.prefetch_related("rows__user")
