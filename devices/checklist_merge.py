"""Answers given while others changed the same checklist, put together field by field. Pure.

A sender says of each field what it was when the person began (`base`) and what it is now (`mine`).
Where nobody else changed the field, `mine` is taken; where the field has become something else
meanwhile, a person chooses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from twinhealth.errors import InvalidInputError

from .checklist import MAX_NOTE, MAX_TEXT, Item, kind_of, number
from .checklist_steps import Kind
from .plain_text import clean

Field = Literal["done", "value", "note"]
# which fields a person fills in, by the step's kind; photos come as files
FIELDS: dict[Kind, tuple[Field, ...]] = {
    Kind.CHECK: ("done", "note"),
    Kind.NUMBER: ("value", "note"),
    Kind.TEXT: ("value", "note"),
    Kind.PHOTO: ("note",),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One field that a person filled in.

    Attributes:
        place: of the step in the checklist that the person saw, from 0.
        step: its text, `kind` its kind: a plan may have changed them meanwhile.
        name: which field.
        base: what stood in it when the person began.
        mine: what the person wrote.
    """

    place: int
    step: str
    kind: str
    name: Field
    base: Any
    mine: Any


@dataclass(slots=True)
class Merged:
    """What came of it.

    Attributes:
        items: the checklist with all that could be taken.
        fields: of each change what came of it: `place`, `step`, `kind`, `name`, `base`, `mine`,
            `theirs` (what stood there), and `outcome`: `taken`, `conflict` where somebody else
            changed the field too, `gone` where the checklist doesn't have the step any more,
            `refused` where the value is none, with `message`.
    """

    items: list[Item]
    fields: list[dict[str, Any]] = field(default_factory=list)

    def having(self, outcome: str) -> list[dict[str, Any]]:
        """The fields of which this came."""
        return [each for each in self.fields if each["outcome"] == outcome]


def merge(items: Sequence[Item], changes: Sequence[Change]) -> Merged:
    """Put changes into a checklist; `items` stays as it is.

    Args:
        items: as stored now.
        changes: as sent.
    """
    found = Merged([dict(item) for item in items])
    for change in changes:
        told = {**asdict(change), "theirs": None, "outcome": "gone"}
        found.fields.append(told)
        place = _place(found.items, change)
        if place is None:
            continue
        item = found.items[place]
        told |= {"place": place, "theirs": item.get(change.name)}
        try:
            mine = _value(item, change.name, change.mine)
        except InvalidInputError as error:
            told |= {"outcome": "refused", "message": error.message}
            continue
        if _plain(told["theirs"]) not in (mine, _base(item, change)):
            told["outcome"] = "conflict"
        else:
            told["outcome"] = "taken"
            _put(item, change.name, mine)
    return found


def _place(items: Sequence[Item], change: Change) -> int | None:
    """Where the step is now: where it was, else the only other place with that text and kind."""
    same = [
        place
        for place, item in enumerate(items)
        if item["step"] == change.step
        and kind_of(item) == change.kind
        and change.name in FIELDS[kind_of(item)]
    ]
    if change.place in same:
        return change.place
    return same[0] if len(same) == 1 else None


def _value(item: Item, name: Field, given: Any) -> Any:
    kind = kind_of(item)
    if name == "done":
        if not isinstance(given, bool):
            raise InvalidInputError("done_invalid", f"{item['step']}: done is true or false.")
        return given
    if name == "value" and kind == Kind.NUMBER:
        return number(item["step"], given)
    if given is not None and not isinstance(given, str):
        raise InvalidInputError(f"{name}_invalid", f"{item['step']}: a text is needed.")
    limit = MAX_NOTE if name == "note" else MAX_TEXT
    text = clean(_plain(given or ""), field=name, limit=limit, required=False)
    return text or (None if name == "value" else "")


def _plain(value: Any) -> Any:
    """A form sends lines that end otherwise than a script's."""
    return value.replace("\r\n", "\n") if isinstance(value, str) else value


def _base(item: Item, change: Change) -> Any:
    """What the person began with; what can't be read was never stored."""
    try:
        return _value(item, change.name, change.base)
    except InvalidInputError:
        return object()


def _put(item: Item, name: Field, mine: Any) -> None:
    item[name] = mine
    if name == "value":
        item["done"] = mine is not None
