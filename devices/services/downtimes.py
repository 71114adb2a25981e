"""When a machine could not be used: intervals that never overlap on one machine."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.request import Request

from accounts.models import User
from accounts.services import audit
from devices.models import Device, Downtime, WorkOrder
from devices.plain_text import clean
from twinhealth.errors import ConflictError, InvalidInputError

AnyRequest = HttpRequest | Request | None


@transaction.atomic
def create(
    *,
    actor: User | None,
    device: Device,
    reason: str,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    planned: bool = False,
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
        order: the work for which it is down.
        request: for the audit trail.

    Raises:
        InvalidInputError: `reason_missing`, `ends_before_start`, `starts_in_future` for one
            without an end, `order_of_another_device`.
        ConflictError: `downtime_overlap` with the other's id.
    """
    now = timezone.now()
    starts_at = starts_at or now
    reason = clean(reason, field="reason", limit=300)
    if ends_at is not None and ends_at <= starts_at:
        raise InvalidInputError("ends_before_start", "A downtime ends after it starts.")
    if ends_at is None and starts_at > now:
        raise InvalidInputError(
            "starts_in_future", "A downtime that is still to come needs its end as well."
        )
    if order is not None and order.device_id != device.pk:
        raise InvalidInputError("order_of_another_device", "This order is of another machine.")
    # the machine's row is the lock under which its intervals are compared
    device = Device.objects.select_for_update(no_key=True).get(pk=device.pk)
    clash = Q(ends_at=None) | Q(ends_at__gt=starts_at)
    if ends_at is not None:
        clash &= Q(starts_at__lt=ends_at)
    other = Downtime.objects.filter(clash, device=device).order_by("starts_at").first()
    if other is not None:
        raise ConflictError(
            "downtime_overlap",
            "This machine is down in that time already. End the other downtime first."
            if other.ends_at is None
            else "This machine has another downtime in that time.",
            downtime=other.pk,
        )
    downtime = Downtime.objects.create(
        device=device,
        order=order,
        starts_at=starts_at,
        ends_at=ends_at,
        planned=planned,
        reason=reason,
        created_by=actor,
        is_synthetic=device.is_synthetic,
    )
    audit.record(actor=actor, verb="created", obj=downtime, request=request)
    return downtime


def start(
    *,
    actor: User,
    device: Device,
    reason: str,
    planned: bool = False,
    order: WorkOrder | None = None,
    request: AnyRequest = None,
) -> Downtime:
    """The machine is down from now on.

    Raises:
        InvalidInputError, ConflictError: as `create`.
    """
    return create(
        actor=actor, device=device, reason=reason, planned=planned, order=order, request=request
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
    Device.objects.select_for_update(no_key=True).get(pk=downtime.device_id)
    downtime = Downtime.objects.get(pk=downtime.pk)
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
