"""When a machine could not be used: intervals that never overlap on one machine."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import Device, Downtime, WorkOrder
from devices.models.maintenance import Extent
from devices.plain_text import clean
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from .order_changes import AnyRequest

WHY = 300  # characters


@transaction.atomic
def create(
    *,
    actor: User | None,
    device: Device,
    reason: str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    planned: bool = False,
    extent: str = Extent.FULL,
    order: WorkOrder | None = None,
    request: AnyRequest = None,
) -> Downtime:
    """An interval `[starts_at, ends_at)`; without an end the machine is down since its start.

    Args:
        actor: who says so.
        device: which machine.
        reason: why.
        starts_at: now unless told.
        ends_at: left out while it lasts.
        planned: agreed on beforehand.
        extent: `full`, or `partial` where it could be used with limits.
        order: the work for which it is down.
        request: for the audit trail.

    Raises:
        InvalidInputError: `reason_missing`, `ends_before_start`, `starts_in_future` for one
            without an end, `order_of_another_device`, `extent_unknown`.
        ConflictError: `downtime_overlap` with the other's id and times.
    """
    made = Downtime(
        device=device,
        order=order,
        starts_at=starts_at or timezone.now(),
        ends_at=ends_at,
        planned=planned,
        extent=extent,
        reason=reason,
        created_by=actor,
        is_synthetic=device.is_synthetic,
    )
    _store(made)
    audit.record(actor=actor, verb="created", obj=made, request=request)
    return made


@transaction.atomic
def correct(
    *,
    downtime: Downtime,
    actor: User,
    why: str,
    starts_at: datetime,
    ends_at: datetime | None,
    reason: str,
    planned: bool,
    extent: str,
    order: WorkOrder | None,
    request: AnyRequest = None,
) -> Downtime:
    """Set the record right, also one of the past; the audit trail keeps what it said before.

    Args:
        downtime: which.
        actor: who corrects it.
        why: what was wrong; kept in the audit trail.
        starts_at: as for `create`, as are the next five.
        ends_at: none: it lasts.
        reason: why it was down.
        planned: agreed on beforehand.
        extent: `full` or `partial`.
        order: the work for which it was down.
        request: for the audit trail.

    Raises:
        InvalidInputError, ConflictError: as `create`; `why_missing`, `why_too_long`.
        NotFoundError: `downtime_not_found`, removed in the meantime.
    """
    why = clean(why, field="why", limit=WHY)
    found = _locked(downtime)
    before = _said(found)
    found.starts_at, found.ends_at, found.reason = starts_at, ends_at, reason
    found.planned, found.extent, found.order = planned, extent, order
    _store(found)
    after = _said(found)
    changed = {name: [old, after[name]] for name, old in before.items() if after[name] != old}
    if changed:
        audit.record(
            actor=actor,
            verb="corrected",
            obj=found,
            request=request,
            detail={"why": why, "changed": changed},
        )
    return found


@transaction.atomic
def remove(*, downtime: Downtime, actor: User, why: str, request: AnyRequest = None) -> None:
    """Take away one that never was; the audit trail keeps all that it said.

    Raises:
        InvalidInputError: `why_missing`, `why_too_long`.
        NotFoundError: `downtime_not_found`, removed in the meantime.
    """
    why = clean(why, field="why", limit=WHY)
    found = _locked(downtime)
    audit.record(
        actor=actor,
        verb="removed",
        obj=found,
        request=request,
        detail={"why": why, "was": {"device": found.device_id, **_said(found)}},
    )
    found.delete()


def _said(downtime: Downtime) -> dict[str, Any]:
    """What can be corrected, as JSON."""
    return {
        "starts_at": downtime.starts_at.isoformat(),
        "ends_at": downtime.ends_at.isoformat() if downtime.ends_at else None,
        "reason": downtime.reason,
        "planned": downtime.planned,
        "extent": str(downtime.extent),
        "order": downtime.order_id,
    }


def _locked(downtime: Downtime) -> Downtime:
    """The row as it is now; the machine's row is the lock under which intervals are compared."""
    Device.objects.select_for_update(no_key=True).get(pk=downtime.device_id)
    found = Downtime.objects.select_related("device").filter(pk=downtime.pk).first()
    if found is None:
        raise NotFoundError("downtime_not_found", "There is no such downtime.")
    return found


def _store(downtime: Downtime) -> None:
    """Check all rules under the machine's lock, then save."""
    start, end = downtime.starts_at, downtime.ends_at
    downtime.reason = clean(downtime.reason, field="reason", limit=300)
    if downtime.extent not in Extent.values:
        raise InvalidInputError("extent_unknown", "A downtime is full or partial.")
    if end is not None and end <= start:
        raise InvalidInputError("ends_before_start", "A downtime ends after it starts.")
    if end is None and start > timezone.now():
        raise InvalidInputError(
            "starts_in_future", "A downtime that is still to come needs its end as well."
        )
    if downtime.order is not None and downtime.order.device_id != downtime.device_id:
        raise InvalidInputError("order_of_another_device", "This order is of another machine.")
    Device.objects.select_for_update(no_key=True).get(pk=downtime.device_id)
    _refuse_overlap(downtime)
    downtime.save()


def _refuse_overlap(downtime: Downtime) -> None:
    clash = Q(ends_at=None) | Q(ends_at__gt=downtime.starts_at)
    if downtime.ends_at is not None:
        clash &= Q(starts_at__lt=downtime.ends_at)
    others = Downtime.objects.filter(clash, device=downtime.device_id).exclude(pk=downtime.pk)
    other = others.order_by("starts_at").first()
    if other is None:
        return
    since = f"{timezone.localtime(other.starts_at):%Y-%m-%d %H:%M}"
    if other.ends_at is None:
        message = (
            f"This machine is down in that time already, since {since}: {other.reason}. "
            "End the other downtime first."
        )
    else:
        until = f"{timezone.localtime(other.ends_at):%Y-%m-%d %H:%M}"
        message = (
            f"This machine has another downtime in that time, {since} to {until}: "
            f"{other.reason}. Correct or remove that one first."
        )
    raise ConflictError("downtime_overlap", message, downtime=other.pk)


def start(
    *,
    actor: User,
    device: Device,
    reason: str,
    planned: bool = False,
    extent: str = Extent.FULL,
    order: WorkOrder | None = None,
    request: AnyRequest = None,
) -> Downtime:
    """The machine is down from now on.

    Raises:
        InvalidInputError, ConflictError: as `create`.
    """
    return create(
        actor=actor,
        device=device,
        reason=reason,
        planned=planned,
        extent=extent,
        order=order,
        request=request,
    )


@transaction.atomic
def end(
    *,
    downtime: Downtime,
    actor: User | None,
    ends_at: datetime | None = None,
    request: AnyRequest = None,
) -> Downtime:
    """The machine is usable again.

    Args:
        downtime: an open one.
        actor: who says so.
        ends_at: now unless told; not in the future.
        request: for the audit trail.

    Raises:
        ConflictError: `downtime_ended`.
        InvalidInputError: `ends_before_start`, `ends_in_future`.
    """
    now = timezone.now()
    downtime = _locked(downtime)
    if downtime.ends_at is not None:
        raise ConflictError("downtime_ended", "This downtime has ended already.")
    ends_at = ends_at or now
    if ends_at <= downtime.starts_at:
        raise InvalidInputError("ends_before_start", "A downtime ends after it starts.")
    if ends_at > now:
        raise InvalidInputError("ends_in_future", "End it when the machine is usable again.")
    downtime.ends_at = ends_at
    downtime.save(update_fields=["ends_at"])
    audit.record(actor=actor, verb="ended", obj=downtime, request=request)
    return downtime
