"""How trust in a film's machine came to be what it is, in sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from django.utils.timezone import localtime

if TYPE_CHECKING:
    from detection.models import TrustChange
    from devices.models import DegradedSpan


@dataclass(frozen=True, slots=True)
class Told:
    """One change of trust.

    Attributes:
        at: when trust was reckoned anew.
        was, level: `full`, `reduced`, `unknown`.
        because: a value of `TrustCause`.
        text: the sentence.
        after_signing: the report was signed before, so its reader didn't know.
    """

    at: datetime
    was: str
    level: str
    because: str
    text: str
    after_signing: bool


def history(changes: Iterable[TrustChange], signed_at: datetime | None) -> list[Told]:
    """Changes in the order in which they came; their marks and people are at hand."""
    return [
        Told(
            at=change.at,
            was=change.was,
            level=change.level,
            because=change.because,
            text=_sentence(change),
            after_signing=signed_at is not None and change.at > signed_at,
        )
        for change in changes
    ]


def day(at: datetime) -> str:
    """`12 Nov 2026 09:30` in the hospital's zone."""
    return f"{localtime(at):%d %b %Y %H:%M}".lstrip("0")


def said_by(span: DegradedSpan) -> str:
    """Who marked a machine: a person's name, or the rule."""
    if span.by is not None:
        return str(span.by)
    return f"the rule {span.alert.rule.name}" if span.alert else "a rule"


def _sentence(change: TrustChange) -> str:
    now = f"{change.was} to {change.level}" if change.was != change.level else f"{change.level}"
    return f"{now}, because {_because(change)}"


def _because(change: TrustChange) -> str:
    span = change.span
    if span is None:
        if change.because == "machine":
            return "the machine that took the film became known"
        return "readings came later than the film was read"
    if change.because == "degraded":
        return (
            f"the machine was marked as degraded since {day(span.since)} "
            f"on {day(span.at)} by {said_by(span)}: {span.reason}"
        )
    if change.because == "withdrawn":
        return f"the mark as degraded was withdrawn by {span.withdrawn_by}: {span.withdraw_reason}"
    until = f" from {day(span.until)} on" if span.until else ""
    return f"the machine was good again{until}: {span.end_reason}"
