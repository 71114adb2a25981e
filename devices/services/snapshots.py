"""Stored folds of a twin's journal, so that neither a past moment nor a late event folds it all.

The snapshots of a journal follow from it alone: one after every `EVERY` events in the order of the
fold. An event that happened before some of them moves those; they are made again.
"""

from __future__ import annotations

import copy

from devices import projection
from devices.models import TwinEvent, TwinSnapshot, TwinState
from devices.selectors.snapshots import events_after, newest_snapshot

EVERY = 200
_ROWS = 2_000  # events in memory at once
_BATCH = 100  # snapshots in memory at once, a few kilobytes each


def follow(twin: TwinState, event: TwinEvent) -> None:
    """Move a locked state row by its newest revision; the caller saves it."""
    last_at = twin.state.get("last_at")
    if last_at is not None and projection.iso(event.at) < last_at:
        TwinSnapshot.objects.filter(device=twin.device_id, at__gt=event.at).delete()
        fold_again(twin)
        return
    twin.state = projection.apply(twin.state or projection.empty(), event)
    twin.loose += 1
    if twin.loose == EVERY:
        _make(twin, event)
    elif twin.loose > EVERY:  # a journal from before there were snapshots
        fold_again(twin)


def fold_again(twin: TwinState) -> None:
    """Fold what comes after the newest snapshot, and make the snapshots that are due on the way."""
    base = newest_snapshot(twin.device_id)
    state = copy.deepcopy(base.state) if base else projection.empty()
    events, loose = base.events if base else 0, 0
    due: list[TwinSnapshot] = []
    for event in events_after(twin.device_id, base).iterator(chunk_size=_ROWS):
        projection.step(state, event)
        events, loose = events + 1, loose + 1
        if loose == EVERY:
            loose = 0
            due.append(_snapshot(twin.device_id, event, events, copy.deepcopy(state)))
            if len(due) == _BATCH:
                TwinSnapshot.objects.bulk_create(due)
                due = []
    TwinSnapshot.objects.bulk_create(due)
    twin.state, twin.loose = state, loose


def _snapshot(device_id: int, event: TwinEvent, events: int, state: object) -> TwinSnapshot:
    return TwinSnapshot(
        device_id=device_id, events=events, at=event.at, revision=event.revision, state=state
    )


def _make(twin: TwinState, event: TwinEvent) -> None:
    base = newest_snapshot(twin.device_id)
    events = (base.events if base else 0) + EVERY
    _snapshot(twin.device_id, event, events, twin.state).save(force_insert=True)
    twin.loose = 0


def right(device_id: int) -> bool:
    """Whether the stored snapshots are those that follow from the journal."""
    stored = iter(TwinSnapshot.objects.filter(device=device_id).order_by("at", "revision"))
    state = projection.empty()
    for number, event in enumerate(events_after(device_id, None).iterator(chunk_size=_ROWS), 1):
        projection.step(state, event)
        if number % EVERY:
            continue
        found = next(stored, None)
        if found is None or (found.events, found.at, found.revision, found.state) != (
            number,
            event.at,
            event.revision,
            state,
        ):
            return False
    return next(stored, None) is None
