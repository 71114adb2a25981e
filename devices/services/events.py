"""The twin's journal: adding an event and moving the projected state with it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from devices import projection
from devices.models import Device, TwinEvent, TwinSnapshot, TwinState

from . import snapshots


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
    snapshots.follow(twin, event)
    twin.revision = event.revision
    twin.save(update_fields=["state", "revision", "loose"])
    return event


@transaction.atomic
def rebuild(*, device: Device, repair: bool) -> bool:
    """Fold the whole journal again and compare with the stored state and the snapshots.

    Args:
        device: whose.
        repair: write the fold and the snapshots where they differ.

    Returns:
        True where the stored state and the snapshots were right.
    """
    twin = lock_twin(device.pk)
    events = TwinEvent.objects.filter(device=device)
    state = projection.fold(events)
    right = bool(
        twin.state == state
        and twin.revision == state["revision"]
        and twin.loose == events.count() % snapshots.EVERY
        and snapshots.right(device.pk)
    )
    if not right and repair:
        TwinSnapshot.objects.filter(device=device).delete()
        snapshots.fold_again(twin)
        twin.revision = state["revision"]
        twin.save(update_fields=["state", "revision", "loose"])
    return right
