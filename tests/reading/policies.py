"""Policies for tests of double reading, made directly."""

from __future__ import annotations

from django.utils import timezone

from reading.models import ReadingPolicy
from tests.detection.factories import make_user


def read_twice(rule: str, percent: int | None = None) -> ReadingPolicy:
    """From now on films are read twice by this rule."""
    admin = make_user("admin")
    return ReadingPolicy.objects.create(
        number=ReadingPolicy.objects.count() + 1,
        twice=rule,
        twice_percent=percent,
        reason="a test",
        by=admin,
        by_name=str(admin),
        at=timezone.now(),
    )
