"""What people are told of instruments; the room of notices tells it.

That a test is due or late is told of its order.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.db.models import Q
from django.urls import reverse

from accounts.permissions import Can, Role
from devices import notice_kinds
from devices.notice_kinds import Happening, Kind, Section, Span, Told, Way

from .models import Instrument

# days before the last day on which its calibration holds, and the day after it
BEFORE = (30, 7, -1)


def instrument_ends(span: Span) -> list[Happening]:
    """30 and 7 days before an instrument's calibration ends, and once it has."""
    first, last = span.days
    near = Q(pk__in=[])
    for before in BEFORE:
        days = (first + timedelta(days=before), last + timedelta(days=before))
        near |= Q(calibrated_until__range=days)
    return [
        Happening(
            at=at,
            subject=row.pk,
            key=f"{row.calibrated_until}:{before}",
            title=f"{row.name} {row.serial}: its calibration"
            f" {'holds until' if before >= 0 else 'ended on'} {row.calibrated_until:%Y-%m-%d}",
            path=reverse("quality:instruments"),
        )
        for row in Instrument.objects.filter(near, retired_at=None).order_by("pk")
        for before, at in span.before(row.calibrated_until, BEFORE)
    ]


def _over(told: Sequence[Told], span: Span) -> Mapping[int, str]:
    rows = Instrument.objects.filter(pk__in={each.subject for each in told}, retired_at=None)
    known = dict(rows.values_list("pk", "calibrated_until"))
    return {
        each.id: "the instrument has another date"
        for each in told
        if str(known.get(each.subject)) != each.key.partition(":")[0]
    }


def connect() -> None:
    """Have it told; called once, when the room is ready."""
    notice_kinds.register(
        Kind(
            key="instrument_ends", label="an instrument is to be calibrated", over=_over,
            section=Section.COMING, happened=instrument_ends, duty=Can.ORDER_WORK,
            defaults={Role.ADMIN: Way.IN_APP, Role.ENGINEER: Way.IN_APP},
        )
    )  # fmt: skip
