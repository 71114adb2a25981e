"""A work order's checklist: steps to do, and what became of each. Pure.

Stored as `[{"step": text, "done": bool, "note": text}]`; a number, photo or text has besides its
`kind` and `value` (of a photo the file's number), a number its unit and limits. A step is answered
when it was done, or when a note says why not: a tick can't be forced, and nothing is passed over in
silence. A number beyond its limits needs a note as well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from twinhealth.errors import InvalidInputError

from .checklist_steps import Kind, Step, text_of
from .plain_text import clean
from .rules import limits_text

MAX_NOTE = 1_000
MAX_TEXT = 2_000

Item = dict[str, Any]


def blank(steps: Sequence[Step]) -> list[Item]:
    """Steps that nobody answered yet."""
    return [
        {"step": text_of(step), "done": False, "note": ""}
        | ({} if isinstance(step, str) else {**step, "value": None})
        for step in steps
    ]


def templates(items: Sequence[Item]) -> list[Step]:
    """The steps that were asked for."""
    answers = {"done", "note", "value"}
    return [
        item["step"]
        if kind_of(item) == Kind.CHECK
        else {key: value for key, value in item.items() if key not in answers}
        for item in items
    ]


def unticked(items: Sequence[Item]) -> list[Item]:
    """The same steps without their answers: work that is done once more."""
    return blank(templates(items))


def kind_of(item: Item) -> Kind:
    """How the step is answered."""
    return Kind(item.get("kind", Kind.CHECK))


def allowed(item: Item) -> str:
    """The limits of a number in words; empty where it has none."""
    if kind_of(item) != Kind.NUMBER or (item["low"] is None and item["high"] is None):
        return ""
    return limits_text(item["low"], item["high"], item["unit"])


def outside(item: Item) -> bool:
    """A number was given and lies beyond its limits; the limit itself is allowed."""
    value = item.get("value")
    if kind_of(item) != Kind.NUMBER or not isinstance(value, int | float):
        return False
    low, high = item["low"], item["high"]
    return (low is not None and value < low) or (high is not None and value > high)


def out_of_limits(items: Sequence[Item]) -> list[str]:
    """Texts of the numbers beyond their limits."""
    return [item["step"] for item in items if outside(item)]


def answered(item: Item) -> bool:
    """Done, or not done with the reason; beyond its limits only with a note."""
    return bool(item["note"] or (item["done"] and not outside(item)))


def unanswered(items: Sequence[Item]) -> list[str]:
    """Texts of the steps without an answer."""
    return [item["step"] for item in items if not answered(item)]


def answer(items: Sequence[Item], given: Sequence[Any]) -> list[Item]:
    """The checklist with new answers.

    Args:
        items: as stored.
        given: one entry per step, in order: `true`/`false`, or `{"done", "note"?}`, or of a number
            or text `{"value", "note"?}`, or of a photo `{"note"}`; or entries with `"step"`, in any
            order, for some of the steps; the others keep their answers.

    Raises:
        InvalidInputError: `checklist_mismatch` with the steps expected; `note_too_long`,
            `number_invalid`, `value_too_long`.
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
        result[place].update(_answer(items, result[place], entry))
    return result


def with_photo(items: Sequence[Item], place: int, file_id: int) -> list[Item]:
    """The checklist with a photo in one of its places.

    Raises:
        InvalidInputError: `not_a_photo_step`.
    """
    if not 0 <= place < len(items) or kind_of(items[place]) != Kind.PHOTO:
        raise InvalidInputError("not_a_photo_step", "This step doesn't ask for a photo.")
    result = [dict(item) for item in items]
    result[place] |= {"value": file_id, "done": True}
    return result


def _answer(items: Sequence[Item], item: Item, entry: Any) -> Item:
    kind = kind_of(item)
    if isinstance(entry, bool) and kind == Kind.CHECK:
        return {"done": entry}
    if not isinstance(entry, dict) or not _shaped(kind, entry):
        raise _mismatch(items, f"{item['step']}: {_EXPECTED[kind]}")
    note = entry.get("note", "")
    if not isinstance(note, str):
        raise _mismatch(items, "A note is text.")
    found: Item = {}
    if kind == Kind.CHECK:
        found["done"] = entry["done"]
    elif kind == Kind.NUMBER and "value" in entry:
        found["value"] = number(item["step"], entry["value"])
        found["done"] = found["value"] is not None
    elif kind == Kind.TEXT and "value" in entry:
        text = clean(entry["value"] or "", field="value", limit=MAX_TEXT, required=False)
        found |= {"value": text or None, "done": bool(text)}
    if "note" in entry:
        found["note"] = clean(note, field="note", limit=MAX_NOTE, required=False)
    return found


_EXPECTED = {
    Kind.CHECK: 'An answer is true or false, or {"step", "done", "note"}.',
    Kind.NUMBER: 'a number is answered by {"value", "note"}.',
    Kind.TEXT: 'a text is answered by {"value", "note"}.',
    Kind.PHOTO: 'send the photo to files/; here it takes only {"note"}.',
}


def _shaped(kind: Kind, entry: dict[str, Any]) -> bool:
    if kind == Kind.CHECK:
        return isinstance(entry.get("done"), bool)
    if kind == Kind.TEXT:
        return isinstance(entry.get("value", ""), str | None)
    return kind == Kind.NUMBER or "note" in entry


def number(step: str, given: Any) -> float | None:
    """A number as a program or a person writes it; `None` for nothing.

    Raises:
        InvalidInputError: `number_invalid`.
    """
    if given is None or given == "":
        return None
    try:
        if isinstance(given, bool) or not isinstance(given, int | float | str):
            raise ValueError  # noqa: TRY301, TRY004 - one answer to all that is no number
        value = float(given.strip().replace(",", ".") if isinstance(given, str) else given)
        if not math.isfinite(value):
            raise ValueError  # noqa: TRY301
    except (ValueError, OverflowError):
        raise InvalidInputError(
            "number_invalid", f"{step}: a number is needed, as in 70.5.", step=step
        ) from None
    return value


def _mismatch(items: Sequence[Item], message: str) -> InvalidInputError:
    return InvalidInputError("checklist_mismatch", message, steps=[item["step"] for item in items])
