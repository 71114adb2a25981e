"""The twin's journal: adding an event and moving the projected state with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from devices import projection
from devices.models import Device, TwinEvent, TwinState


def lock_twin(device_id: int) -> TwinState:
    """The device's state row, locked until the transaction ends.

    Everything that writes for a device takes this lock first, before any alert's row: one order,
    no deadlock. Call it inside a transaction.
    """
    TwinState.objects.get_or_create(
        device_id=device_id, defaults={"state": projection.empty(), "revision": 0}
    )
    return TwinState.objects.select_for_update().get(device_id=device_id)


def lock_twins(device_ids: Sequence[int]) -> dict[int, TwinState]:
    """`lock_twin` for many, by the device's id, always in the same order."""
    rows = TwinState.objects.select_for_update().order_by("device_id")
    found = {twin.device_id: twin for twin in rows.filter(device_id__in=device_ids)}
    # made with the machine, so none is missing but by hand
    return {pk: found.get(pk) or lock_twin(pk) for pk in sorted(device_ids)}


@transaction.atomic
def append(
    *,
    device: Device,
    kind: str,
    payload: dict[str, Any],
    at: datetime | None = None,
    actor: User | None = None,
) -> TwinEvent:
    """Add one event with the next revision and project it.

    Args:
        device: whose journal.
        kind: `devices.models.twin.EventKind`.
        payload: JSON, as `devices.projection` reads it.
        at: when it happened; now unless told. One that happened before the newest event (a film
            that came late) is folded in its place.
        actor: who; `None` for the system.
    """
    twin = lock_twin(device.pk)
    event = TwinEvent.objects.create(
        device=device,
        revision=twin.revision + 1,
        kind=kind,
        at=at or timezone.now(),
        actor=actor,
        payload=payload,
    )
    last_at = twin.state.get("last_at")
    if last_at is None or projection.iso(event.at) >= last_at:
        twin.state = projection.apply(twin.state or projection.empty(), event)
    else:
        twin.state = projection.fold(TwinEvent.objects.filter(device=device))
    twin.revision = event.revision
    twin.save(update_fields=["state", "revision"])
    return event


@transaction.atomic
def rebuild(*, device: Device, repair: bool) -> bool:
    """Fold the whole journal again and compare with the stored state.

    Args:
        device: whose.
        repair: write the fold where it differs.

    Returns:
        True where the stored state was right.
    """
    twin = lock_twin(device.pk)
    state = projection.fold(TwinEvent.objects.filter(device=device))
    right = bool(twin.state == state and twin.revision == state["revision"])
    if not right and repair:
        twin.state, twin.revision = state, state["revision"]
        twin.save(update_fields=["state", "revision"])
    return right
