"""What an inspector is shown of a machine and a period: sections, each with columns and rows.

A room registers the sections that it knows of, as with `panels`; whoever makes the file asks for
all of them and knows no room. A section's rows follow from stored data and the period alone, never
from the present hour, so that the same data give the same file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from django.utils import timezone

from .models import Device

# machine, begin and end (not included) of the period, both aware -> rows, each with a cell a column
Rows = Callable[[Device, datetime, datetime], Iterable[Sequence[Any]]]


@dataclass(frozen=True, slots=True)
class Section:
    """One kind of thing.

    Attributes:
        name: of its CSV file, in small letters, digits and hyphens.
        title: its heading.
        columns: headings; the machine stands in front of them in the CSV file.
        rows: gives them in an order that doesn't change.
        place: sections stand by this number, then by name; those of `devices` have 10 to 90.
    """

    name: str
    title: str
    columns: tuple[str, ...]
    rows: Rows
    place: int = 100


_sections: dict[str, Section] = {}


def register(section: Section) -> None:
    """Have a section in every file; a second one of the same name takes its place."""
    _sections[section.name] = section


def sections() -> list[Section]:
    """All of them, in their order."""
    return sorted(_sections.values(), key=lambda each: (each.place, each.name))


def cell(value: Any) -> str:
    """A value as the file has it: times with offset in the hospital's zone, days as ISO 8601."""
    if isinstance(value, datetime):
        return timezone.localtime(value).isoformat(timespec="seconds")
    for kind, text in _TEXTS:
        if isinstance(value, kind):
            return text(value)
    return "" if value is None else str(value)


_TEXTS: tuple[tuple[Any, Callable[[Any], str]], ...] = (
    (bool, lambda value: "yes" if value else "no"),
    (date, lambda value: value.isoformat()),
    (float, lambda value: f"{value:.12g}"),
    (Decimal, lambda value: f"{value:f}"),
    ((dict, list), lambda v: json.dumps(v, ensure_ascii=False, sort_keys=True) if v else ""),
)
