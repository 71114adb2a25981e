"""What a checklist asks for: its steps, and how each is answered. Pure.

A step is kept as its text where it passes or fails, else as `{"step", "kind", …}`: a number with
unit (UCUM) and limits, a photo, or text. In a form a step is a line whose end in brackets says its
kind: `Tube voltage [number kV 68..72]`, `Label [photo]`, `Remarks [text]`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Any

from twinhealth.errors import InvalidInputError

from . import units
from .plain_text import clean

MAX_STEPS = 100
MAX_STEP = 300

# as stored: a text, or a dict with the kind
Step = str | dict[str, Any]


class Kind(StrEnum):
    """How a step is answered."""

    CHECK = "check"  # passed, or not with a note
    NUMBER = "number"
    PHOTO = "photo"
    TEXT = "text"


_LINE = re.compile(
    r"(?P<text>.*?)\s*\[(?P<kind>check|photo|text|number(?P<rest>\s[^\[\]]*)?)\]", re.IGNORECASE
)
_KEYS = frozenset({"step", "kind", "unit", "low", "high"})


def text_of(step: Step) -> str:
    """What is to be done."""
    return step if isinstance(step, str) else str(step["step"])


def kind_of(step: Step) -> Kind:
    """How it is answered."""
    return Kind.CHECK if isinstance(step, str) else Kind(step["kind"])


def steps(given: Sequence[Any]) -> list[Step]:
    """A checklist's steps, trimmed; empty ones are left out.

    Raises:
        InvalidInputError: `checklist_too_long`, `step_missing`, `step_too_long`, `step_invalid`,
            `step_kind_unknown`, `step_unit_unknown`, `step_limits_invalid`.
    """
    found = [_step(entry) for entry in given]
    kept = [step for step in found if step]
    if len(kept) > MAX_STEPS:
        raise InvalidInputError(
            "checklist_too_long", f"A checklist has at most {MAX_STEPS} steps.", limit=MAX_STEPS
        )
    return kept


def _step(entry: Any) -> Step:
    if isinstance(entry, str):
        return clean(entry, field="step", limit=MAX_STEP, required=False)
    if not isinstance(entry, dict) or not isinstance(entry.get("step"), str):
        raise InvalidInputError(
            "step_invalid", 'A step is its text, or {"step", "kind", "unit", "low", "high"}.'
        )
    text = clean(entry["step"], field="step", limit=MAX_STEP)
    kind = entry.get("kind", Kind.CHECK)
    if kind not in set(Kind) or entry.keys() - _KEYS:
        raise InvalidInputError(
            "step_kind_unknown",
            f"{text}: a step is one of {', '.join(Kind)}; a number has unit, low and high.",
            step=text,
        )
    if kind == Kind.CHECK:
        return text
    if kind != Kind.NUMBER:
        return {"step": text, "kind": str(kind)}
    return {"step": text, "kind": str(kind), **_limits(text, entry)}


def _limits(text: str, entry: dict[str, Any]) -> dict[str, Any]:
    unit = entry.get("unit") or "1"
    if not isinstance(unit, str) or not units.known(unit):
        raise InvalidInputError(
            "step_unit_unknown", f"{text}: give the unit as a UCUM code, as in kV.", step=text
        )
    low, high = (_limit(text, entry.get(name)) for name in ("low", "high"))
    if low is not None and high is not None and low > high:
        raise _bad_limits(text)
    return {"unit": unit, "low": low, "high": high}


def _limit(text: str, given: Any) -> float | None:
    if given is None:
        return None
    if isinstance(given, bool) or not isinstance(given, int | float) or not math.isfinite(given):
        raise _bad_limits(text)
    return float(given)


def _bad_limits(text: str) -> InvalidInputError:
    return InvalidInputError(
        "step_limits_invalid",
        f"{text}: limits are two numbers, the lower one first; one may be left out.",
        step=text,
    )


def from_line(line: str) -> Step | dict[str, Any]:
    """A step as a form's line says it; what no bracket names passes or fails.

    Raises:
        InvalidInputError: `step_limits_invalid` for a number whose limits can't be read.
    """
    match = _LINE.fullmatch(line.strip())
    if match is None:
        return line
    text, kind = match["text"], match["kind"].split()[0].lower()
    if kind != Kind.NUMBER:
        return {"step": text, "kind": kind} if kind != Kind.CHECK else text
    step: dict[str, Any] = {"step": text, "kind": kind}
    for word in (match["rest"] or "").split():
        low, dots, high = word.partition("..")
        if not dots:
            step["unit"] = word
            continue
        for name, limit in (("low", low), ("high", high)):
            if limit:
                step[name] = _number(text, limit)
    return step


def _number(text: str, word: str) -> float:
    try:
        return float(word)
    except ValueError:
        raise _bad_limits(text) from None


def as_line(step: Step) -> str:
    """The line from which `from_line` makes this step again."""
    text, kind = text_of(step), kind_of(step)
    if isinstance(step, str):
        return f"{text} [check]" if _LINE.fullmatch(text) else text
    if kind != Kind.NUMBER:
        return f"{text} [{kind}]"
    low, high = (plain(step[name]) for name in ("low", "high"))
    limits = f" {low}..{high}" if low or high else ""
    return f"{text} [number {step['unit']}{limits}]"


def plain(value: float | None) -> str:
    """A number so that it can be read again exactly; whole ones without a point."""
    if value is None:
        return ""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else f"{value!r}"
