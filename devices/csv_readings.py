"""Readings out of a CSV file: one row after the other, whatever its dialect. Pure but for the file.

Two forms. Long: one reading a row, in columns for device, metric, value, unit and measured_at.
Wide: one moment a row, one column a metric, its unit in the heading: `kvp [kV]`. Rows are
separated as RFC 4180 says; a formula is text like any other and so no number.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from io import TextIOWrapper
from pathlib import Path
from typing import Any, Self
from zoneinfo import ZoneInfo

from devices.csv_text import DELIMITERS, ENCODINGS, delimiter_of, head_text
from twinhealth.errors import InvalidInputError

DECIMALS = {".": "point", ",": "comma"}
FORMS = {"long": "one reading a row", "wide": "one column a metric"}
FIELDS = ("device", "metric", "value", "unit", "measured_at")
MAX_COLUMNS = 300
_HEAD = 64 * 1024
_NUMBER = re.compile(r"[+-]?[0-9]+([.,][0-9]+)?([eE][+-]?[0-9]+)?")
_HEADING = re.compile(r"\s*(?P<key>[^\[\](]+?)\s*[\[(](?P<unit>[^\])]+)[\])]\s*")
_DOTTED = re.compile(r"(\d{1,2})\.(\d{1,2})\.(\d{4})[ T](\d{1,2}):(\d{2})(?::(\d{2}))?")
# what people call the columns
_NAMES = {
    "device": {"device", "serial", "machine", "device_serial"},
    "metric": {"metric", "quantity", "parameter"},
    "value": {"value", "reading"},
    "unit": {"unit", "ucum"},
    "measured_at": {"measured_at", "time", "timestamp", "datetime", "date"},
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """How a file is to be read.

    Attributes:
        encoding: key of `ENCODINGS`; a byte-order mark of UTF-8 is passed over.
        delimiter: key of `DELIMITERS`.
        decimal: key of `DECIMALS`.
        form: key of `FORMS`.
        columns: field of `FIELDS` -> heading; in wide form `device` and `measured_at` only.
        zone: IANA name, of times without an offset.
        device: serial of the machine where no column says it.
    """

    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: str = "."
    form: str = "long"
    columns: dict[str, str] = field(default_factory=dict)
    zone: str = "UTC"
    device: str = ""

    def to_json(self) -> dict[str, Any]:
        """JSON-safe dict; `from_json` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Build from what `to_json` gave."""
        return cls(**data)


@dataclass(frozen=True, slots=True)
class Item:
    """One reading as the file gives it, or why the row gives none.

    Attributes:
        line: where the row begins, from 1.
        device: serial.
        metric, value, unit, measured_at: as `devices.services.readings.ReadingIn`.
        text: the row's cells, for the list of refused ones.
        error: `(code, message)` where the row can't be one.
    """

    line: int
    device: str
    metric: str
    value: Any
    unit: str
    measured_at: Any
    text: str
    error: tuple[str, str] | None = None


def propose(path: Path, *, zone: str) -> tuple[Dialect, list[str]]:
    """What the file's first bytes suggest, and its headings.

    Raises:
        InvalidInputError: `empty_file`, `not_text`, `no_headings`.
    """
    with path.open("rb") as file:
        head = file.read(_HEAD)
    encoding, text = head_text(head)
    lines = text.splitlines()
    first = lines[0]
    delimiter = delimiter_of(first)
    cells = [cell for line in lines[1:50] for cell in line.split(delimiter)]
    comma = delimiter != "," and sum(bool(re.fullmatch(r"\s*-?\d+,\d+\s*", c)) for c in cells)
    point = sum(bool(re.fullmatch(r"\s*-?\d+\.\d+\s*", c)) for c in cells)
    headings = next(csv.reader([first], delimiter=delimiter), [])
    columns = _guess(headings)
    form = "long" if {"metric", "value"} <= columns.keys() else "wide"
    if form == "wide":
        columns = {k: v for k, v in columns.items() if k in {"device", "measured_at"}}
    decimal = "," if comma > point else "."
    return Dialect(encoding, delimiter, decimal, form, columns, zone), headings


def _guess(headings: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for heading in headings:
        plain = heading.strip().lower().replace(" ", "_")
        for name, names in _NAMES.items():
            if plain in names and name not in found:
                found[name] = heading
    return found


def check(dialect: Dialect, headings: list[str]) -> None:
    """The dialect makes sense for the file.

    Raises:
        InvalidInputError: `unknown_dialect`, `unknown_zone`, `unknown_column`,
            `column_missing` with which.
    """
    if (
        dialect.encoding not in ENCODINGS
        or dialect.delimiter not in DELIMITERS
        or dialect.decimal not in DECIMALS
        or dialect.form not in FORMS
    ):
        raise InvalidInputError(
            "unknown_dialect", "Choose encoding, separators and form from those offered."
        )
    try:
        ZoneInfo(dialect.zone)
    except (KeyError, ValueError, OSError):
        raise InvalidInputError(
            "unknown_zone", "Choose a time zone such as Europe/Berlin."
        ) from None
    unknown = set(dialect.columns.values()) - set(headings)
    if unknown or set(dialect.columns) - set(FIELDS):
        raise InvalidInputError(
            "unknown_column", "The file has no such column.", columns=sorted(unknown)
        )
    wanted = {"measured_at"} if dialect.form == "wide" else set(FIELDS) - {"device"}
    missing = sorted(wanted - dialect.columns.keys())
    if not dialect.device and "device" not in dialect.columns:
        missing.append("device")
    if missing:
        raise InvalidInputError(
            "column_missing", f"Say which column is: {', '.join(missing)}.", missing=missing
        )
    if dialect.form == "wide" and not any(_HEADING.fullmatch(h) for h in headings):
        raise InvalidInputError(
            "column_missing", "No heading names a metric with its unit, such as kvp [kV]."
        )


def items(path: Path, dialect: Dialect, *, skip: int = 0) -> Iterator[tuple[int, list[Item]]]:
    """Rows of the file after the headings: (number of the row from 1, its readings).

    Args:
        path: the file.
        dialect: checked.
        skip: so many rows are passed over.
    """
    reader = _Reader(dialect)
    encoding = "utf-8-sig" if dialect.encoding == "utf-8" else "cp1252"
    with (
        path.open("rb") as raw,
        TextIOWrapper(raw, encoding=encoding, errors="surrogateescape", newline="") as file,
    ):
        rows = csv.reader(file, delimiter=dialect.delimiter)
        reader.headings = next(rows, [])
        number, line = 0, rows.line_num
        while True:
            try:
                cells = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                # an open quote has swallowed too much: what follows can't be told apart
                broken = ("broken_row", f"From this line on the file can't be read: {error}.")
                yield number + 1, [Item(line + 1, "", "", None, "", None, "", broken)]
                return
            begins, line = line + 1, rows.line_num
            if not any(cell.strip() for cell in cells):
                continue
            number += 1
            if number > skip:
                yield number, reader.row(begins, cells)


@dataclass(slots=True)
class _Reader:
    """Cells to readings."""

    dialect: Dialect
    headings: list[str] = field(default_factory=list)

    def row(self, line: int, cells: list[str]) -> list[Item]:
        """The readings of one row."""
        text = self.dialect.delimiter.join(cells)[:500]
        error = None
        if len(cells) > max(len(self.headings), 1) or len(cells) > MAX_COLUMNS:
            error = ("too_many_cells", "The row has more cells than there are headings.")
        elif any("\udc80" <= c <= "\udcff" for c in "".join(cells)):
            name = ENCODINGS[self.dialect.encoding]
            error = ("bad_character", f"The row isn't {name}; choose another encoding.")
            text = text.encode("utf-8", "replace").decode()
        elif "\0" in text:
            error, text = ("bad_character", "The row has a NUL character."), text.replace("\0", "")
        if error:
            return [Item(line, "", "", None, "", None, text, error)]
        named = dict(zip((h for h in self.headings), cells, strict=False))
        device = self._cell(named, "device") or self.dialect.device
        moment = self._moment(self._cell(named, "measured_at"))
        pairs = self._long(named) if self.dialect.form == "long" else self._wide(named)
        return [
            Item(line, device, metric, self._number(value), unit, moment, text)
            if not isinstance(moment, tuple)
            else Item(line, device, metric, None, unit, None, text, moment)
            for metric, value, unit in pairs
        ]

    def _cell(self, named: dict[str, str], name: str) -> str:
        return named.get(self.dialect.columns.get(name, ""), "").strip()

    def _long(self, named: dict[str, str]) -> list[tuple[str, str, str]]:
        return [
            (self._cell(named, "metric"), self._cell(named, "value"), self._cell(named, "unit"))
        ]

    def _wide(self, named: dict[str, str]) -> list[tuple[str, str, str]]:
        """An empty cell is no reading."""
        found = []
        for heading, cell in named.items():
            match = _HEADING.fullmatch(heading)
            if match and heading not in self.dialect.columns.values() and cell.strip():
                found.append((match["key"], cell.strip(), match["unit"].strip()))
        return found

    def _number(self, text: str) -> Any:
        """A float, or the text where it is none: the door refuses it with its reason."""
        if not _NUMBER.fullmatch(text):
            return text
        if self.dialect.decimal == ",":
            return text if "." in text else float(text.replace(",", "."))
        return text if "," in text else float(text)

    def _moment(self, text: str) -> datetime | tuple[str, str]:
        """In UTC, or why not."""
        invalid = ("invalid_time", "Write times as 2026-03-01T12:00:00+01:00 or 01.03.2026 12:00.")
        dotted = _DOTTED.fullmatch(text)
        try:
            if dotted:
                day, month, year, hour, minute, second = map(int, dotted.groups(default="0"))
                # the zone follows
                found = datetime(year, month, day, hour, minute, second)  # noqa: DTZ001
            elif re.match(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d", text):
                found = datetime.fromisoformat(text)
            else:
                return invalid
            return found.astimezone(UTC) if found.tzinfo else self._local(found)
        except (ValueError, OverflowError):
            return invalid

    def _local(self, naive: datetime) -> datetime | tuple[str, str]:
        """PEP 495: a time that the clock shows twice, or never, doesn't name a moment."""
        zone = ZoneInfo(self.dialect.zone)
        early, late = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
        if early.utcoffset() == late.utcoffset():
            return early.astimezone(UTC)
        back = early.astimezone(UTC).astimezone(zone).replace(tzinfo=None)
        if abs(back - naive) > timedelta(0):
            return (
                "nonexistent_time",
                f"No clock in {zone.key} showed that time: the hour was left out.",
            )
        return (
            "ambiguous_time",
            f"Clocks in {zone.key} showed that time twice. Write it with its offset.",
        )
