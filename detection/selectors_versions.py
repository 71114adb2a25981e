"""Which models there are, and which one read when."""

from __future__ import annotations

from django.db.models import QuerySet

from detection.models import DetectorVersion, Promotion


def versions() -> QuerySet[DetectorVersion]:
    """All versions, the active one first, then newest first."""
    return DetectorVersion.objects.order_by("state", "-created_at", "-id")


def promotions() -> QuerySet[Promotion]:
    """Changes of the active version, newest first, joined for a table."""
    return Promotion.objects.select_related("version", "instead_of")
