"""A CSV file of people: whatever its encoding and delimiter, rows by heading. Pure.

UTF-8 (with a byte-order mark or without), UTF-16 with one, and Windows-1252 are recognised;
bytes that are none of these are refused, not guessed. A cell that a spreadsheet would compute is
refused; one that our own exports defused with `'` is what it was before.
"""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass

from devices.csv_text import delimiter_of, head_text
from twinhealth.errors import InvalidInputError, TooLargeError

MAX_ROWS = 10_000
MAX_COLUMNS = 100
MAX_CELL = 30_000
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_FORMULA = ("=", "@", "\t", "\r", "\n", "\uff1d", "\uff20", "\uff0b", "\uff0d")
# a number, or a telephone's: what else begins so would be computed
_SIGNED = re.compile(r"[+-][0-9][0-9 ()./,:\-]*(?:[eE][+-]?[0-9]+)?")


@dataclass(frozen=True, slots=True)
class Row:
    """One row.

    Attributes:
        line: where it begins, from 1.
        cells: heading (small letters, `_` for blanks) -> text without blanks around it.
        error: `(column, code, message)` where it can't be used.
    """

    line: int
    cells: dict[str, str]
    error: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """A file's rows and how they were read."""

    headings: tuple[str, ...]
    rows: tuple[Row, ...]
    encoding: str
    delimiter: str


def decoded(data: bytes) -> tuple[str, str]:
    """Name of the encoding, and the text.

    Raises:
        InvalidInputError: `empty_file`, `not_text`, `unknown_encoding`.
    """
    if data.startswith(_UTF16):
        try:
            text = data.decode("utf-16")
        except UnicodeDecodeError:
            raise _unknown() from None
        if not text.strip():
            raise InvalidInputError("empty_file", "The file is empty. Export it again.")
        if "\0" in text:
            raise InvalidInputError("not_text", "This is no CSV file.")
        return "UTF-16", text
    encoding, text = head_text(data)
    if encoding == "utf-8":
        try:
            return "UTF-8", data.decode("utf-8-sig")
        except UnicodeDecodeError:  # it ends within a character
            raise _unknown() from None
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        raise _unknown() from None
    if any("\x80" <= c <= "\x9f" or (c < " " and c not in "\t\r\n") for c in text):
        raise _unknown()
    return "Windows-1252", text


def _unknown() -> InvalidInputError:
    return InvalidInputError(
        "unknown_encoding",
        "This is neither UTF-8, UTF-16 nor Windows-1252. Save it as CSV UTF-8.",
    )


def read(data: bytes) -> Table:
    """All rows of a file.

    Raises:
        InvalidInputError: those of `decoded`, `no_headings`, `duplicate_heading`,
            `too_many_columns`, `broken_row`, `no_rows`.
        TooLargeError: `too_many_rows`.
    """
    encoding, text = decoded(data)
    first = text.lstrip("\r\n").split("\n", 1)[0]
    delimiter = delimiter_of(first)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    headings: tuple[str, ...] = ()
    rows: list[Row] = []
    line = 0
    try:
        for cells in reader:
            begins, line = line + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            if not headings:
                headings = _headings(cells)
                continue
            if len(rows) >= MAX_ROWS:
                raise TooLargeError(
                    "too_many_rows", f"At most {MAX_ROWS:,} rows a file.", limit=MAX_ROWS
                )
            rows.append(_row(begins, headings, cells))
    except csv.Error as error:
        raise InvalidInputError(
            "broken_row", f"Line {line + 1} can't be read: {error}.", line=line + 1
        ) from error
    if not rows:
        raise InvalidInputError("no_rows", "There is no row below the headings.")
    return Table(headings, tuple(rows), encoding, delimiter)


def _headings(cells: list[str]) -> tuple[str, ...]:
    found = tuple("_".join(_defused(cell.strip()).lower().split()) for cell in cells)
    while found and not found[-1]:
        found = found[:-1]
    if not found or not all(found):
        raise InvalidInputError("no_headings", "The first row must name every column.")
    if len(found) > MAX_COLUMNS:
        raise InvalidInputError("too_many_columns", f"At most {MAX_COLUMNS} columns.")
    twice = sorted({name[:64] for name in found if found.count(name) > 1})
    if twice:
        raise InvalidInputError(
            "duplicate_heading", f"Named twice: {', '.join(twice)}.", columns=twice
        )
    return found


def _row(line: int, headings: tuple[str, ...], cells: list[str]) -> Row:
    if any(cell.strip() for cell in cells[len(headings) :]):
        too_many = ("", "too_many_cells", "The row has more cells than there are headings.")
        return Row(line, {}, too_many)
    padded = [*cells, *[""] * (len(headings) - len(cells))]
    found: dict[str, str] = {}
    error: tuple[str, str, str] | None = None
    for name, cell in zip(headings, padded, strict=False):
        text = cell.strip(" \u00a0")
        if "\0" in text or len(text) > MAX_CELL:
            error = error or (name, "bad_cell", "The cell is too long, or has a NUL character.")
        elif _is_formula(text):
            error = error or (name, "formula", "A spreadsheet would compute this; write the text.")
        found[name] = _defused(text)
    return Row(line, found, error)


def _is_formula(text: str) -> bool:
    if text.startswith(_FORMULA):
        return True
    return text.startswith(("+", "-")) and len(text) > 1 and not _SIGNED.fullmatch(text)


def _defused(text: str) -> str:
    """Without the `'` that `accounts.csvsafe` puts in front of what would be computed."""
    rest = text[1:].lstrip(" ")
    if text.startswith("'") and rest.startswith((*_FORMULA, "+", "-")):
        return text[1:]
    return text
