"""What becomes of a machine that images name and nobody registered."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from devices.models import Device, DeviceAlias, DeviceModel, InboxEntry
from devices.models.inbox import InboxState
from devices.models.twin import EventKind
from twinhealth.errors import ConflictError, NotFoundError

from . import AnyRequest
from .events import append
from .registry import register_device


def get(entry_id: int) -> InboxEntry:
    """The entry, or `NotFoundError` `inbox_entry_not_found`."""
    entry = InboxEntry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise NotFoundError("inbox_entry_not_found", "There is no such entry.")
    return entry


def _locked(entry: InboxEntry) -> InboxEntry:
    """The entry as it is now, still to be decided (a dismissed one may be taken up again)."""
    entry = InboxEntry.objects.select_for_update().get(pk=entry.pk)
    if entry.state not in {InboxState.OPEN, InboxState.DISMISSED}:
        raise ConflictError(
            "already_decided",
            f"This machine is {entry.get_state_display()} already.",
            state=entry.state,
            device=entry.device_id,
        )
    return entry


def _decide(
    entry: InboxEntry, state: InboxState, actor: User, device: Device | None = None
) -> None:
    entry.state, entry.device = state, device
    entry.decided_by, entry.decided_at = actor, timezone.now()
    entry.save(update_fields=["state", "device", "decided_by", "decided_at"])


@transaction.atomic
def register(
    *,
    entry: InboxEntry,
    actor: User,
    name: str,
    model: DeviceModel,
    location: str = "",
    request: AnyRequest | None = None,
) -> Device:
    """It is a new machine: open or dismissed -> registered.

    Raises:
        ConflictError: `already_decided`, `serial_taken`.
        InvalidInputError: as `register_device`.
    """
    entry = _locked(entry)
    device = register_device(
        serial=entry.serial,
        name=name or entry.station_name,
        model=model,
        location=location,
        actor=actor,
        request=request,
    )
    _decide(entry, InboxState.REGISTERED, actor, device)
    return device


@transaction.atomic
def alias(
    *, entry: InboxEntry, actor: User, device: Device, request: AnyRequest | None = None
) -> DeviceAlias:
    """It is a known machine under another name: open or dismissed -> aliased.

    Raises:
        ConflictError: `already_decided`, `serial_taken`.
    """
    entry = _locked(entry)
    taken = ConflictError("serial_taken", "Another machine has this name already.")
    if Device.objects.filter(serial=entry.serial).exists():
        raise taken
    try:
        with transaction.atomic():
            made = DeviceAlias.objects.create(device=device, value=entry.serial, confirmed_by=actor)
    except IntegrityError:
        raise taken from None
    append(
        device=device,
        kind=EventKind.ALIAS_CONFIRMED,
        actor=actor,
        payload={"value": entry.serial},
    )
    _decide(entry, InboxState.ALIASED, actor, device)
    audit.record(actor=actor, verb="aliased", obj=device, request=request)
    return made


@transaction.atomic
def dismiss(*, entry: InboxEntry, actor: User, request: AnyRequest | None = None) -> InboxEntry:
    """Not one of ours: open -> dismissed. Its images stay and are still counted.

    Raises:
        ConflictError: `already_decided`.
    """
    entry = _locked(entry)
    if entry.state == InboxState.DISMISSED:
        raise ConflictError("already_decided", "This machine is dismissed already.")
    _decide(entry, InboxState.DISMISSED, actor)
    audit.record(actor=actor, verb="dismissed", obj=entry, request=request)
    return entry
