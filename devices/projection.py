"""The twin's state is the fold of its events: pure, JSON in, JSON out.

Events are folded by the time at which they happened (then by revision), because a film may arrive
days after a newer one. State:

    {"lifecycle": str, "serial": str, "name": str, "model": str, "registered_at": ISO,
     "reported": {key: {"value", "since"}}, "desired": {key: {"value", "since"}},
     "aliases": [str], "open_alerts": {alert id: {"rule", "severity", "message", "since"}},
     "last_maintenance": {"order_id", "title", "at"} | None, "last_at": ISO, "revision": int}

and, once there is something to say of them, "clock": {"state", "seconds", "since"}, "degraded":
{span id: {"since", "until", "reason", "marked_at"}} without those that were withdrawn, and
"components": {component id: {"kind", "position", "serial", "make", "installed_at"}}.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any, Protocol


class Event(Protocol):
    """What the fold needs of an event."""

    @property
    def revision(self) -> int:
        """Place in the journal."""

    @property
    def kind(self) -> str:
        """`devices.models.twin.EventKind`."""

    @property
    def at(self) -> datetime:
        """When it happened, aware."""

    @property
    def payload(self) -> dict[str, Any]:
        """JSON."""


State = dict[str, Any]


def empty() -> State:
    """Before the first event."""
    return {
        "lifecycle": "in_service",
        "reported": {},
        "desired": {},
        "aliases": [],
        "open_alerts": {},
        "last_maintenance": None,
        "last_at": None,
        "revision": 0,
    }


def iso(at: datetime) -> str:
    """UTC, always with microseconds, so that text order is time order."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def _registered(state: State, payload: dict[str, Any], at: str) -> None:
    for key in ("serial", "name", "model"):
        state[key] = payload.get(key, "")
    state["registered_at"] = at


def _merge(known: dict[str, Any], config: dict[str, Any], at: str) -> None:
    for key, value in config.items():
        # the same value again doesn't restart its time
        if key not in known or known[key]["value"] != value:
            known[key] = {"value": value, "since": at}


def _config_reported(state: State, payload: dict[str, Any], at: str) -> None:
    _merge(state["reported"], payload.get("config", {}), at)


def _config_desired(state: State, payload: dict[str, Any], at: str) -> None:
    config = payload.get("config", {})
    state["desired"] = {k: v for k, v in state["desired"].items() if k in config}
    _merge(state["desired"], config, at)


def _lifecycle(state: State, payload: dict[str, Any], at: str) -> None:
    state["lifecycle"] = payload["lifecycle"]


def _alert_opened(state: State, payload: dict[str, Any], at: str) -> None:
    state["open_alerts"][str(payload["alert_id"])] = {
        "rule": payload.get("rule", ""),
        "severity": payload.get("severity", ""),
        "message": payload.get("message", ""),
        "since": at,
    }


def _alert_resolved(state: State, payload: dict[str, Any], at: str) -> None:
    state["open_alerts"].pop(str(payload["alert_id"]), None)


def _maintenance_done(state: State, payload: dict[str, Any], at: str) -> None:
    state["last_maintenance"] = {
        "order_id": payload.get("order_id"),
        "title": payload.get("title", ""),
        "at": at,
    }


def _clock(state: State, payload: dict[str, Any], at: str) -> None:
    state["clock"] = {"state": payload["state"], "seconds": payload["seconds"], "since": at}


def _degraded(state: State, payload: dict[str, Any], at: str) -> None:
    spans = state.setdefault("degraded", {})
    spans[str(payload["span_id"])] = {
        "since": payload["since"],
        "until": payload["until"],
        "reason": payload["reason"],
        "marked_at": at,
    }


def _degraded_ended(state: State, payload: dict[str, Any], at: str) -> None:
    span = state.get("degraded", {}).get(str(payload["span_id"]))
    if span is not None:
        span["until"] = payload["until"]


def _degraded_withdrawn(state: State, payload: dict[str, Any], at: str) -> None:
    state.get("degraded", {}).pop(str(payload["span_id"]), None)


def _component_installed(state: State, payload: dict[str, Any], at: str) -> None:
    part = {key: payload.get(key, "") for key in ("kind", "position", "serial", "make")}
    part["installed_at"] = payload.get("installed_at") or at
    state.setdefault("components", {})[str(payload["component_id"])] = part


def _component_removed(state: State, payload: dict[str, Any], at: str) -> None:
    state.setdefault("components", {}).pop(str(payload["component_id"]), None)


def _component_corrected(state: State, payload: dict[str, Any], at: str) -> None:
    """A mistaken entry is taken back at the moment of which it spoke, so no past moment has it."""
    if payload["of"] == "removed":
        _component_installed(state, payload, at)
    else:
        _component_removed(state, payload, at)


def _details_changed(state: State, payload: dict[str, Any], at: str) -> None:
    if "name" in payload.get("changed", {}):
        state["name"] = payload["changed"]["name"]


def _alias_confirmed(state: State, payload: dict[str, Any], at: str) -> None:
    state["aliases"] = sorted({*state["aliases"], payload["value"]})


_APPLY: dict[str, Callable[[State, dict[str, Any], str], None]] = {
    "registered": _registered,
    "config_reported": _config_reported,
    "config_desired": _config_desired,
    "lifecycle": _lifecycle,
    "alert_opened": _alert_opened,
    "alert_resolved": _alert_resolved,
    "maintenance_done": _maintenance_done,
    "clock": _clock,
    "alias_confirmed": _alias_confirmed,
    "degraded": _degraded,
    "degraded_ended": _degraded_ended,
    "degraded_withdrawn": _degraded_withdrawn,
    "component_installed": _component_installed,
    "component_removed": _component_removed,
    "component_corrected": _component_corrected,
    "details_changed": _details_changed,
}


def step(state: State, event: Event) -> None:
    """Change a state by one more event.

    Raises:
        KeyError: for a kind that the table doesn't have.
    """
    at = iso(event.at)
    _APPLY[event.kind](state, event.payload, at)
    state["last_at"] = max(at, state["last_at"] or at)
    state["revision"] = max(event.revision, state["revision"])


def apply(state: State, event: Event) -> State:
    """The state after one more event; the given one is left alone.

    Raises:
        KeyError: for a kind that the table doesn't have.
    """
    after = copy.deepcopy(state)
    step(after, event)
    return after


def fold(events: Iterable[Event], start: State | None = None) -> State:
    """The state after all events, in whatever order they are given.

    Args:
        events: all of them, or those that come after `start`'s in the fold's order.
        start: the fold of those before, left alone; `None` for the empty state.
    """
    state = empty() if start is None else copy.deepcopy(start)
    for event in sorted(events, key=lambda e: (e.at, e.revision)):
        step(state, event)
    return state


def values(entries: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """`{key: value}` of a state's `reported` or `desired`."""
    return {key: entry["value"] for key, entry in sorted(entries.items())}
