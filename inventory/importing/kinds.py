"""What every kind of table has: its columns, how a row is named, and how it is applied."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

from accounts.models import User
from inventory.models import Fate
from inventory.services import AnyRequest
from twinhealth.errors import InvalidInputError

Changes = dict[str, list[Any]]
Outcome = tuple[Fate, Changes]
Cells = Mapping[str, str]

YES = {"yes", "y", "true", "1", "x"}
NO = {"no", "n", "false", "0", ""}


class Kind(ABC):
    """One kind of table.

    Attributes:
        columns: that it knows, in the order of its export.
        required: those that a file must have.
        ignored: columns of its export that an import passes over, with why.
    """

    columns: ClassVar[tuple[str, ...]]
    required: ClassVar[frozenset[str]]
    ignored: ClassVar[Mapping[str, str]] = {}

    def renamed(self, headings: tuple[str, ...]) -> Mapping[str, str]:
        """Foreign heading -> ours, where the file has another program's layout."""
        return {}

    @abstractmethod
    def key(self, cells: Cells) -> str:
        """What names the row's thing; two rows with the same are one too many."""

    @abstractmethod
    def apply(self, cells: Cells, *, actor: User | None, request: AnyRequest) -> Outcome:
        """Do what the row asks for, within the caller's savepoint.

        Raises:
            DomainError: whatever the room's service refuses.
        """


def outcome(changes: Changes, *, new: bool) -> Outcome:
    """Added, changed or unchanged, by what a service says has changed."""
    if new:
        return Fate.ADDED, {name: [None, after] for name, (_, after) in changes.items()}
    return (Fate.CHANGED, changes) if changes else (Fate.UNCHANGED, {})


def refused(column: str, code: str, message: str) -> InvalidInputError:
    """A refusal that names its column."""
    return InvalidInputError(code, message, field=column)


def number(cells: Cells, name: str) -> int:
    """A whole number; an empty cell is 0."""
    text = cells[name].replace(" ", "")
    if not text:
        return 0
    if not text.lstrip("+").isdecimal() or not text.isascii() or len(text) > 10:
        raise refused(name, "not_a_number", "Write a whole number.")
    return int(text)


def amount(cells: Cells, name: str) -> Decimal | None:
    """Money, with point or comma before the cents; an empty cell is unknown.

    `1,234.50` and `1.234,50` are understood, `1,234` is not: it may be either.
    """
    text = cells[name].replace(" ", "").replace("\N{NO-BREAK SPACE}", "").replace("'", "")
    if not text:
        return None
    point, comma = text.rfind("."), text.rfind(",")
    last = max(point, comma)
    if last >= 0 and len(text) - last - 1 == 3 and (point < 0 or comma < 0):
        raise refused(name, "ambiguous_number", "Thousands or cents? Write 1234.50 for money.")
    text = text.replace(".", "").replace(",", ".") if comma > point else text.replace(",", "")
    try:
        found = Decimal(text)
    except InvalidOperation:
        raise refused(name, "not_a_number", "Write an amount such as 120.50.") from None
    if not found.is_finite():
        raise refused(name, "not_a_number", "Write an amount such as 120.50.")
    return found


def yes(cells: Cells, name: str) -> bool:
    """Yes or no; an empty cell is no."""
    text = cells[name].casefold()
    if text in YES:
        return True
    if text in NO:
        return False
    raise refused(name, "not_yes_or_no", "Write yes or no.")


def day(cells: Cells, name: str) -> date | None:
    """A day: 2026-03-01, 20260301, 01.03.2026, or as the FDA writes it 03/01/2026."""
    text = cells[name]
    if not text:
        return None
    try:
        if len(text) == 8 and text.isdecimal():
            return date(int(text[:4]), int(text[4:6]), int(text[6:]))
        if text.count("/") == 2:
            month, day_of, year = (int(part) for part in text.split("/"))
            return date(year, month, day_of)
        if text.count(".") == 2:
            day_of, month, year = (int(part) for part in text.split("."))
            return date(year, month, day_of)
        return date.fromisoformat(text[:10]) if text[10:11] in {"", "T", " "} else date(0, 0, 0)
    except (ValueError, OverflowError):
        raise refused(name, "bad_day", "Write a day as 2026-03-01.") from None


def choice(cells: Cells, name: str, known: Mapping[str, Any]) -> Any:
    """One of some words, whatever their capitals."""
    text = cells[name].casefold()
    if text not in known:
        raise refused(name, "unknown_choice", f"Write one of: {', '.join(sorted(known))}.")
    return known[text]


def several(cells: Cells, name: str) -> list[str]:
    """Texts between bars."""
    return [part.strip() for part in cells[name].split("|") if part.strip()]
