"""Marks as degraded: those that cover a moment, those of a machine."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import Q, QuerySet

from devices.models import DegradedSpan
from devices.trust import Mark


def standing(device_id: int) -> list[DegradedSpan]:
    """Marks of a machine that weren't withdrawn, oldest first."""
    return list(
        DegradedSpan.objects.filter(device=device_id, withdrawn_at=None).order_by("since", "pk")
    )


def marks_at(spans: Iterable[DegradedSpan], at: datetime) -> tuple[Mark, ...]:
    """Those of the spans that cover a moment."""
    return tuple(
        Mark(span.pk, span.since, span.reason)
        for span in spans
        if span.since <= at and (span.until is None or at < span.until)
    )


def spans_of(device_id: int, at: datetime | None = None) -> QuerySet[DegradedSpan]:
    """All marks of a machine, newest first; `at`: those that were said by then."""
    said = Q() if at is None else Q(at__lte=at)
    return DegradedSpan.objects.filter(said, device=device_id).select_related(
        "by", "ended_by", "withdrawn_by", "alert__rule"
    )
