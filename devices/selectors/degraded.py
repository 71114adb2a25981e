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


def spans_of(device_id: int) -> QuerySet[DegradedSpan]:
    """All marks of a machine, newest first, with the people and rules behind them."""
    return DegradedSpan.objects.filter(device=device_id).select_related(
        "by", "ended_by", "withdrawn_by", "alert__rule"
    )


def covering(device_id: int, *, at: datetime | None, now: datetime) -> QuerySet[DegradedSpan]:
    """Marks that cover now; or a past moment, as far as they were said by then.

    Args:
        device_id: whose.
        at: the past moment; `None` for now.
        now: our time.
    """
    then = at or now
    lasts = Q(until=None) | Q(until__gt=then) | Q(ended_at__gt=then)
    stands = Q(withdrawn_at=None) | Q(withdrawn_at__gt=then)
    return spans_of(device_id).filter(lasts, stands, since__lte=then, at__lte=then)
