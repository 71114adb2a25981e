"""A work order's checklist: steps to do, and what became of each. Pure.

Stored as `[{"step": text, "done": bool, "note": text}]`. A step is answered when it was done, or
when a note says why not: a tick can't be forced, and nothing is passed over in silence.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twinhealth.errors import InvalidInputError

from .plain_text import clean

MAX_STEPS = 100
MAX_STEP = 300
MAX_NOTE = 1_000

Item = dict[str, Any]


def steps(texts: Sequence[str]) -> list[str]:
    """A plan's steps, trimmed; empty ones are left out.

    Raises:
        InvalidInputError: `checklist_too_long`, `step_too_long`, `step_invalid`.
    """
    found = [clean(text, field="step", limit=MAX_STEP, required=False) for text in texts]
    found = [text for text in found if text]
    if len(found) > MAX_STEPS:
        raise InvalidInputError(
            "checklist_too_long", f"A checklist has at most {MAX_STEPS} steps.", limit=MAX_STEPS
        )
    return found


def blank(texts: Sequence[str]) -> list[Item]:
    """Steps that nobody answered yet."""
    return [{"step": text, "done": False, "note": ""} for text in texts]


def answered(item: Item) -> bool:
    """Done, or not done with the reason."""
    return bool(item["done"] or item["note"])


def unanswered(items: Sequence[Item]) -> list[str]:
    """Texts of the steps without an answer."""
    return [item["step"] for item in items if not answered(item)]


def answer(items: Sequence[Item], given: Sequence[Any]) -> list[Item]:
    """The checklist with new answers.

    Args:
        items: as stored.
        given: one entry per step, in order: `true`/`false`, or `{"done", "note"?}`; or entries
            with `"step"`, in any order, for some of the steps; the others keep their answers.

    Raises:
        InvalidInputError: `checklist_mismatch` with the steps expected; `note_too_long`.
    """
    result = [dict(item) for item in items]
    named = [isinstance(entry, dict) and "step" in entry for entry in given]
    if any(named) and not all(named):
        raise _mismatch(items, "Name the step in every entry, or in none.")
    if not any(named) and len(given) != len(items):
        raise _mismatch(items, f"The checklist has {len(items)} steps, {len(given)} were answered.")
    free = list(range(len(result)))
    for place, entry in enumerate(given):
        if named[place]:
            place = next((n for n in free if result[n]["step"] == entry["step"]), -1)  # noqa: PLW2901
            if place < 0:
                raise _mismatch(items, "An answer names a step that the checklist doesn't have.")
        free.remove(place)
        result[place].update(_answer(items, entry))
    return result


def _answer(items: Sequence[Item], entry: Any) -> Item:
    if isinstance(entry, bool):
        return {"done": entry}
    if not isinstance(entry, dict) or not isinstance(entry.get("done"), bool):
        raise _mismatch(items, 'An answer is true or false, or {"step", "done", "note"}.')
    note = entry.get("note", "")
    if not isinstance(note, str):
        raise _mismatch(items, "A note is text.")
    found: Item = {"done": entry["done"]}
    if "note" in entry:
        found["note"] = clean(note, field="note", limit=MAX_NOTE, required=False)
    return found


def _mismatch(items: Sequence[Item], message: str) -> InvalidInputError:
    return InvalidInputError("checklist_mismatch", message, steps=[item["step"] for item in items])


def unticked(items: Sequence[Item]) -> list[Item]:
    """The same steps without their answers: work that is done once more."""
    return blank([item["step"] for item in items])
