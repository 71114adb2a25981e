"""Changes of a scenario: as people write them into an address, and as REST sends them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from devices.fields import LARGEST_ID
from twinhealth.errors import InvalidInputError

MOST = 50  # of one scenario
LONGEST_ORDER = 24.0  # hours
# kind -> the fields it has, in the order of the address
FIELDS: dict[str, tuple[str, ...]] = {
    "move": ("order", "day"),
    "drop": ("order",),
    "add": ("machine", "day", "hours"),
    "engineer": ("day", "until"),
    "part": ("machine",),
    "part_model": ("model",),
    "loaner": ("machine", "day", "until"),
}
LABELS = {
    "move": "move an order",
    "drop": "leave an order out",
    "add": "add maintenance",
    "engineer": "an engineer more",
    "part": "spare part for a machine",
    "part_model": "spare parts for a model",
    "loaner": "loaner in place of a machine",
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change.

    Attributes:
        kind: a key of `FIELDS`.
        order, machine, model: numbers of rows.
        day, until: first and last day.
        hours: of work.
    """

    kind: str
    order: int | None = None
    machine: int | None = None
    model: int | None = None
    day: date | None = None
    until: date | None = None
    hours: float | None = None

    @property
    def text(self) -> str:
        """`move:12:2026-12-01`, as `parse` takes it."""
        values = (getattr(self, name) for name in FIELDS[self.kind])
        return ":".join(
            [self.kind, *(f"{v:g}" if isinstance(v, float) else str(v) for v in values)]
        )

    def to_json(self) -> dict[str, Any]:
        """What `from_json` takes."""
        values = {name: getattr(self, name) for name in FIELDS[self.kind]}
        return {"kind": self.kind} | {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in values.items()
        }


def parse(text: str) -> Change:
    """Read one from an address.

    Raises:
        InvalidInputError: `change_invalid`.
    """
    kind, *values = text[:200].split(":")
    names = FIELDS.get(kind, ())
    if not names or len(values) != len(names):
        raise _wrong("This is no change: " + ", ".join(FIELDS) + ".")
    return from_json({"kind": kind} | dict(zip(names, values, strict=True)))


def from_json(given: Mapping[str, Any]) -> Change:
    """Read one from its fields.

    Raises:
        InvalidInputError: `change_invalid` with the field.
    """
    kind = str(given.get("kind", ""))
    names = FIELDS.get(kind)
    if names is None:
        raise _wrong("kind is one of " + ", ".join(FIELDS) + ".", field="kind")
    found: dict[str, Any] = {}
    for name in names:
        value = given.get(name)
        if name in {"day", "until"}:
            found[name] = _day(name, value)
        elif name == "hours":
            found[name] = _hours(value)
        else:
            found[name] = _row(name, value)
    change = Change(kind, **found)
    if change.day and change.until and not timedelta(0) <= change.until - change.day:
        raise _wrong("The last day comes after the first.", field="until")
    return change


def many(given: Iterable[Change]) -> list[Change]:
    """The changes of a scenario, each once.

    Raises:
        InvalidInputError: `too_many_changes`; `changed_twice` where an order has two changes.
    """
    found = list(dict.fromkeys(given))
    if len(found) > MOST:
        raise InvalidInputError(
            "too_many_changes", f"A scenario has at most {MOST} changes.", limit=MOST
        )
    orders = [each.order for each in found if each.order is not None]
    twice = next((each for each in orders if orders.count(each) > 1), None)
    if twice is not None:
        raise InvalidInputError(
            "changed_twice", f"WO-{twice} has two changes: take one out.", order=twice
        )
    return found


def _wrong(message: str, **extra: Any) -> InvalidInputError:
    return InvalidInputError("change_invalid", message, **extra)


def _day(name: str, value: Any) -> date:
    try:
        found = value if isinstance(value, date) else date.fromisoformat(str(value)[:40])
    except ValueError:
        raise _wrong("Write a day as 2026-12-01.", field=name) from None
    if not 2000 <= found.year <= 2999:
        raise _wrong("This day lies too far off.", field=name)
    return found


def _row(name: str, value: Any) -> int:
    text = "" if isinstance(value, bool) else str(value)
    if not (text.isascii() and text.isdecimal()) or int(text[:20]) > LARGEST_ID:
        raise _wrong(f"{name} is the number of a row.", field=name)
    return int(text[:20])


def _hours(value: Any) -> float:
    try:
        found = float(str(value)[:32].replace("_", "x"))
    except ValueError:
        found = 0.0
    # NaN is in no span
    if not 0.25 <= found <= LONGEST_ORDER:
        raise _wrong(f"hours are 0.25 to {LONGEST_ORDER:g}.", field="hours")
    return found
