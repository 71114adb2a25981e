"""People say what machines share, and which stands in for which."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import IntegrityError, transaction

from accounts.models import User
from accounts.services import audit
from devices.models import Device, Spare, Supply, SupplyMember
from devices.models.relation import SupplyKind
from devices.plain_text import clean
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from . import AnyRequest
from .events import lock_twin

MAX_SPARES = 20
MAX_NOTE = 300


def get(supply_id: int) -> Supply:
    """The supply, or `NotFoundError` `supply_not_found`."""
    found = Supply.objects.filter(pk=supply_id).first()
    if found is None:
        raise NotFoundError("supply_not_found", "There is no such supply.")
    return found


@transaction.atomic
def save_supply(
    *,
    actor: User,
    name: str,
    kind: str,
    devices: Sequence[Device],
    note: str = "",
    supply: Supply | None = None,
    request: AnyRequest | None = None,
) -> Supply:
    """Make a supply, or give one another name, kind, note or other machines.

    Args:
        actor: who.
        name: as people call it: `Panel 2B`.
        kind: a value of `SupplyKind`.
        devices: all machines that hang on it.
        note: where to switch it, whom to call.
        supply: the one to change; `None` makes one.
        request: for the audit row.

    Raises:
        InvalidInputError: `name_missing`, `name_too_long`, `unknown_kind`, `note_too_long`.
        ConflictError: `name_taken`.
    """
    name = clean(name, field="name", limit=64)
    if kind not in SupplyKind.values:
        raise InvalidInputError(
            "unknown_kind", "Choose what is shared.", known=list(SupplyKind.values)
        )
    note = clean(note, field="note", limit=MAX_NOTE) if note.strip() else ""
    found = Supply() if supply is None else Supply.objects.select_for_update().get(pk=supply.pk)
    found.name, found.kind, found.note = name, kind, note
    try:
        with transaction.atomic():
            found.save()
    except IntegrityError as error:
        raise ConflictError("name_taken", "There is a supply of this name.") from error
    _set_members(found, {device.pk for device in devices})
    audit.record(
        actor=actor,
        verb="changed_supply",
        obj=found,
        request=request,
        detail={"kind": kind, "devices": sorted(device.pk for device in devices)},
    )
    return found


def _set_members(supply: Supply, wanted: set[int]) -> None:
    supply.members.exclude(device__in=wanted).delete()
    SupplyMember.objects.bulk_create(
        [SupplyMember(supply=supply, device_id=pk) for pk in sorted(wanted)],
        ignore_conflicts=True,
    )


@transaction.atomic
def delete_supply(*, supply: Supply, actor: User, request: AnyRequest | None = None) -> None:
    """Forget a supply; incidents of it keep its name."""
    # before the incidents' rows, as where alerts join them
    list(Supply.objects.select_for_update().filter(pk=supply.pk))
    audit.record(
        actor=actor, verb="deleted_supply", obj=supply, request=request,
        detail={"name": supply.name},
    )  # fmt: skip
    supply.delete()


@transaction.atomic
def set_relations(
    *,
    device: Device,
    actor: User,
    supplies: Sequence[Supply],
    spares: Sequence[Device],
    request: AnyRequest | None = None,
) -> None:
    """Say, at the machine, all supplies on which it hangs and all machines that stand in for it.

    Raises:
        InvalidInputError: `spare_is_itself`, `too_many_spares`.
    """
    if any(spare.pk == device.pk for spare in spares):
        raise InvalidInputError("spare_is_itself", "A machine can't stand in for itself.")
    if len(spares) > MAX_SPARES:
        raise InvalidInputError(
            "too_many_spares", f"At most {MAX_SPARES} spares.", limit=MAX_SPARES
        )
    lock_twin(device.pk)
    wanted = {supply.pk for supply in supplies}
    device.supply_rows.exclude(supply__in=wanted).delete()
    SupplyMember.objects.bulk_create(
        [SupplyMember(supply_id=pk, device=device) for pk in sorted(wanted)],
        ignore_conflicts=True,
    )
    others = {spare.pk for spare in spares}
    device.spare_rows.exclude(spare__in=others).delete()
    Spare.objects.bulk_create(
        [Spare(device=device, spare_id=pk) for pk in sorted(others)], ignore_conflicts=True
    )
    audit.record(
        actor=actor,
        verb="related",
        obj=device,
        request=request,
        detail={"supplies": sorted(wanted), "spares": sorted(others)},
    )
