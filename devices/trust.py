"""How far a finding's machine can be trusted; decided by the twin as of the exposure. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from .health import Health
from .rules import CheckResult


@dataclass(frozen=True, slots=True)
class Trust:
    """`full`, `reduced` or `unknown`, and why.

    `reasons` are JSON-safe: `{"rule", "state", "text", "since"}`, `since` in ISO 8601 or `None`.
    """

    level: Literal["full", "reduced", "unknown"]
    reasons: tuple[dict[str, Any], ...] = ()


def _reason(check: CheckResult) -> dict[str, Any]:
    return {
        "rule": check.rule,
        "state": check.state,
        "text": check.text,
        "since": check.since.isoformat() if check.since else None,
    }


def device_trust(health: Health | None) -> Trust:
    """Trust from health.

    A check in state `act` that affects the image reduces it. Watch or ok leaves it full. It is
    unknown without a machine or data, and also where every check that concerns the image went
    unanswered: a good check of the upkeep says nothing about the picture.

    Args:
        health: as of the exposure; `None` where the film has no known machine.
    """
    if health is None:
        return Trust("unknown")
    failing = [c for c in health.checks if c.state == "act" and c.affects_image]
    if failing:
        return Trust("reduced", tuple(_reason(c) for c in failing))
    of_image = [c for c in health.checks if c.affects_image]
    unanswered = [c for c in of_image if c.state == "unknown"]
    if health.state == "unknown" or (of_image and len(unanswered) == len(of_image)):
        return Trust("unknown", tuple(_reason(c) for c in unanswered))
    return Trust("full")
