"""Sentences for the twin's journal. Pure."""

from __future__ import annotations

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


def sentence(kind: str, payload: dict[str, Any]) -> str:
    """What happened, in words; empty where the kind says it all.

    Args:
        kind: `devices.models.twin.EventKind`.
        payload: the event's.
    """
    if kind in {"config_reported", "config_desired"}:
        return _pairs(payload.get("config", {}), payload.get("previous", {}))
    if kind == "lifecycle":
        words = str(payload.get("lifecycle", "")).replace("_", " ")
        return f"{words}: {payload['reason']}" if payload.get("reason") else words
    if kind == "registered":
        return f"{payload.get('name', '')}, {payload.get('model', '')}"
    if kind == "alert_resolved":
        reason = str(payload.get("reason", "")).replace("_", " ")
        return f"{payload.get('rule', '')}: {reason}" if reason else str(payload.get("rule", ""))
    if kind == "clock":
        return clock.words(payload["state"], payload["seconds"])
    if kind == "degraded":
        until = f" to {_day(payload['until'])}" if payload["until"] else ""
        return f"since {_day(payload['since'])}{until}: {payload['reason']}"
    if kind in {"degraded_ended", "degraded_withdrawn"}:
        until = f"good since {_day(payload['until'])}: " if kind == "degraded_ended" else ""
        return f"{until}{payload['reason']}"
    return str(payload.get("title") or payload.get("value") or payload.get("message") or "")
