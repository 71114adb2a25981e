"""Changing when machines are needed."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from accounts.services import audit
from devices.models import Device
from maintenance import cover
from maintenance.models import CoveredHours

from . import AnyRequest


@transaction.atomic
def put(
    *, actor: User, device: Device | None, lines: Sequence[str], request: AnyRequest = None
) -> CoveredHours:
    """The week of one machine, or of the hospital where none is given.

    Args:
        actor: who says so.
        device: which machine.
        lines: seven texts, Monday first, as `cover.parse` takes them.
        request: for the audit trail.

    Raises:
        InvalidInputError: `hours_not_seven_days`, `hours_invalid`.
    """
    week = cover.parse(lines)
    before = CoveredHours.objects.filter(device=device).values_list("week", flat=True).first()
    found, _ = CoveredHours.objects.update_or_create(
        device=device,
        defaults={"week": week, "changed_by": actor},
        create_defaults={"week": week, "changed_by": actor, "is_default": device is None},
    )
    audit.record(
        actor=actor,
        verb="hours_set",
        obj=found,
        request=request,
        detail={
            "device": device.pk if device else None,
            "from": cover.lines(before) if before else None,
            "to": cover.lines(week),
        },
    )
    return found


@transaction.atomic
def clear(*, actor: User, device: Device, request: AnyRequest = None) -> None:
    """The machine follows the hospital's hours again; nothing happens where it does already."""
    found = CoveredHours.objects.select_for_update().filter(device=device).first()
    if found is None:
        return
    audit.record(
        actor=actor,
        verb="hours_cleared",
        obj=found,
        request=request,
        detail={"device": device.pk, "from": cover.lines(found.week)},
    )
    found.delete()
