"""Sentences for the twin's journal. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.utils.timezone import localtime

from devices import clock


def _pairs(config: dict[str, Any], previous: dict[str, Any]) -> str:
    parts = []
    for key in sorted({*config, *previous}):
        if key not in config:
            parts.append(f"{key} no longer wanted")
        elif key in previous and previous[key] != config[key]:
            parts.append(f"{key} {previous[key]} → {config[key]}")
        elif key not in previous:
            parts.append(f"{key} {config[key]}")
    return ", ".join(parts)


def _day(iso: str) -> str:
    """A stored moment in the hospital's zone."""
    return f"{localtime(datetime.fromisoformat(iso)):%d %b %Y %H:%M}".lstrip("0")


def _span(payload: dict[str, Any]) -> str:
    """Of a mark as degraded, when; nothing where it is withdrawn."""
    parts = [f"since {_day(payload['since'])}"] if "since" in payload else []
    parts += [f"until {_day(payload['until'])}"] if payload.get("until") else []
    return f"{' '.join(parts)}: " if parts else ""


def _part(payload: dict[str, Any]) -> str:
    kind, position = payload.get("kind", ""), payload.get("position", "")
    words = [f"{kind} ({position})" if position else str(kind)]
    words += [str(payload[key]) for key in ("make", "serial") if payload.get(key)]
    said = " ".join(words)
    if payload.get("of"):
        said += " wasn't put in" if payload["of"] == "installed" else " wasn't taken out"
    return f"{said}: {payload['reason']}" if payload.get("reason") else said


def _lifecycle(payload: dict[str, Any]) -> str:
    words = str(payload.get("lifecycle", "")).replace("_", " ")
    return f"{words}: {payload['reason']}" if payload.get("reason") else words


def _resolved(payload: dict[str, Any]) -> str:
    reason = str(payload.get("reason", "")).replace("_", " ")
    return f"{payload.get('rule', '')}: {reason}" if reason else str(payload.get("rule", ""))


_WORDS: dict[str, Callable[[dict[str, Any]], str]] = {
    "config_reported": lambda p: _pairs(p.get("config", {}), p.get("previous", {})),
    "config_desired": lambda p: _pairs(p.get("config", {}), p.get("previous", {})),
    "lifecycle": _lifecycle,
    "registered": lambda p: f"{p.get('name', '')}, {p.get('model', '')}",
    "alert_resolved": _resolved,
    "clock": lambda p: clock.words(p["state"], p["seconds"]),
    "degraded": lambda p: f"{_span(p)}{p['reason']}",
    "degraded_ended": lambda p: f"{_span(p)}{p['reason']}",
    "degraded_withdrawn": lambda p: f"{_span(p)}{p['reason']}",
    "component_installed": _part,
    "component_removed": _part,
    "component_corrected": _part,
    "details_changed": lambda p: _pairs(p.get("changed", {}), p.get("previous", {})),
}


def sentence(kind: str, payload: dict[str, Any]) -> str:
    """What happened, in words; empty where the kind says it all.

    Args:
        kind: `devices.models.twin.EventKind`.
        payload: the event's.
    """
    if kind in _WORDS:
        return _WORDS[kind](payload)
    return str(payload.get("title") or payload.get("value") or payload.get("message") or "")
