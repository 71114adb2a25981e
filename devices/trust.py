"""How far a finding's machine can be trusted; decided by the twin as of the exposure. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from .health import Health
from .rules import CheckResult


@dataclass(frozen=True, slots=True)
class Trust:
    """`full`, `reduced` or `unknown`, and why.

    `reasons` are JSON-safe: `{"rule", "state", "text", "since"}`, `since` in ISO 8601 or `None`; a
    mark as degraded has the rule `degraded` and its number as `span`.
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


@dataclass(frozen=True, slots=True)
class Mark:
    """A mark as degraded that covers the exposure.

    Attributes:
        span: its number.
        since: when it begins.
        reason: why, in a person's or a rule's words.
    """

    span: int
    since: datetime
    reason: str


def _marked(mark: Mark) -> dict[str, Any]:
    return {
        "rule": "degraded",
        "state": "act",
        "text": f"The machine is marked as degraded: {mark.reason}",
        "since": mark.since.isoformat(),
        "span": mark.span,
    }


def remembered(
    level: str, reasons: Sequence[Mapping[str, Any]], marks: Sequence[Mark] = ()
) -> Trust:
    """Trust where the readings that told of it are deleted, from what they once said.

    Args:
        level: without any mark.
        reasons: of the trust as it was found last; marks among them are left out.
        marks: those that cover the exposure now.
    """
    told = [dict(reason) for reason in reasons if not reason.get("span")]
    failing = [reason for reason in told if reason["state"] == "act"]
    if failing or marks:
        return Trust("reduced", (*(_marked(m) for m in marks), *failing))
    if level == "full":
        return Trust("full")
    return Trust("unknown", tuple(told))


def device_trust(health: Health | None, marks: Sequence[Mark] = ()) -> Trust:
    """Trust from health and from what people and rules say of the machine.

    A mark as degraded that covers the exposure reduces it, and so does a check in state `act`
    that affects the image. Watch or ok leaves it full. It is
    unknown without a machine or data, and also where every check that concerns the image went
    unanswered: a good check of the upkeep says nothing about the picture.

    Args:
        health: as of the exposure; `None` where the film has no known machine.
        marks: those that cover the exposure.
    """
    if health is None:
        return Trust("unknown")
    failing = [c for c in health.checks if c.state == "act" and c.affects_image]
    if failing or marks:
        said = (*(_marked(m) for m in marks), *(_reason(c) for c in failing))
        return Trust("reduced", said)
    of_image = [c for c in health.checks if c.affects_image]
    unanswered = [c for c in of_image if c.state == "unknown"]
    if health.state == "unknown" or (of_image and len(unanswered) == len(of_image)):
        return Trust("unknown", tuple(_reason(c) for c in unanswered))
    return Trust("full")
