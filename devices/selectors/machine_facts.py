"""What machines reported of themselves, as of a moment, in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime

from devices import projection
from devices.drift import drift
from devices.models import TwinEvent, TwinState
from devices.models.twin import EventKind
from devices.rule_kinds.facts import Departure


def states(device_ids: Sequence[int], at: datetime) -> dict[int, dict[str, Any]]:
    """The projected state of each machine; one query for now, two for a past moment."""
    found: dict[int, dict[str, Any]] = {pk: projection.empty() for pk in device_ids}
    past = []
    for pk, state in TwinState.objects.filter(device__in=device_ids).values_list(
        "device_id", "state"
    ):
        if state and state["last_at"] and state["last_at"] > projection.iso(at):
            past.append(pk)
        elif state:
            found[pk] = state
    if past:
        events: dict[int, list[TwinEvent]] = defaultdict(list)
        for event in TwinEvent.objects.filter(device__in=past, at__lte=at):
            events[event.device_id].append(event)
        for pk in past:
            found[pk] = projection.fold(events[pk])
    return found


def departures(
    found: dict[int, dict[str, Any]], at: datetime
) -> dict[int, tuple[list[Departure], int]]:
    """Keys that are reported otherwise than wanted, and how many were never reported; one query.

    Args:
        found: as `states` gave them.
        at: as of when.
    """
    apart = {
        pk: drift(projection.values(state["desired"]), state["reported"])
        for pk, state in found.items()
    }
    differing = [pk for pk, rows in apart.items() if any(row["since"] for row in rows)]
    told = _told(differing, at) if differing else {}
    result = {}
    for pk, rows in apart.items():
        listed = []
        for row in rows:
            if row["since"] is None:
                continue
            key = row["key"]
            times = (row["since"], found[pk]["desired"][key]["since"])
            since = max(moment for text in times if (moment := parse_datetime(text)))
            by, source = told.get((pk, key, "by"), ""), told.get((pk, key, "source"), "")
            listed.append(Departure(key, row["desired"], row["reported"], since, by, source))
        result[pk] = (listed, len(rows) - len(listed))
    return result


def _told(device_ids: list[int], at: datetime) -> dict[tuple[int, str, str], str]:
    """Who wanted each key, and what reported it, last."""
    found: dict[tuple[int, str, str], str] = {}
    events = TwinEvent.objects.filter(
        device__in=device_ids,
        at__lte=at,
        kind__in=[EventKind.CONFIG_DESIRED, EventKind.CONFIG_REPORTED],
    ).order_by("at", "revision")
    for pk, kind, payload, actor in events.values_list(
        "device_id", "kind", "payload", "actor__username"
    ):
        changed = payload.get("config", {})
        for key, value in changed.items():
            if kind == EventKind.CONFIG_REPORTED:
                found[pk, key, "source"] = str(payload.get("source", ""))
            elif payload.get("previous", {}).get(key) != value:
                found[pk, key, "by"] = actor or ""
    return found
