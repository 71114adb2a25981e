"""CSV that a spreadsheet can't mistake for formulas (OWASP, CSV injection)."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any

# a cell that starts so is evaluated by Excel, LibreOffice or Google Sheets; the full-width
# forms are folded to these by some of them
_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(value: Any) -> str:
    """The value as text, with `'` in front where a spreadsheet would compute it.

    A number is no formula, and stays one below zero.
    """
    if isinstance(value, int | float):
        return str(value)
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(_STARTS) else text


class _Echo:
    """What `csv.writer` writes to: gives each line back instead of keeping it."""

    def write(self, line: str) -> str:
        return line


def stream(header: Iterable[str], rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """Lines of a CSV file (RFC 4180), with a byte-order mark so that Excel reads UTF-8."""
    writer = csv.writer(_Echo())
    yield "\ufeff" + str(writer.writerow([safe_cell(cell) for cell in header]))
    for row in rows:
        yield str(writer.writerow([safe_cell(cell) for cell in row]))
