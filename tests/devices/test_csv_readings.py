"""CSV files of readings, as programs and spreadsheets write them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from devices import csv_readings
from devices.csv_readings import Dialect, Item
from twinhealth.errors import InvalidInputError

LONG = {name: name for name in csv_readings.FIELDS}


def write(folder: Path, data: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "readings.csv"
    path.write_bytes(data if isinstance(data, bytes) else data.encode(encoding))
    return path


def read(path: Path, **dialect: Any) -> list[Item]:
    given = Dialect(**{"columns": LONG, **dialect})
    return [item for _, row in csv_readings.items(path, given) for item in row]


def long(tmp_path: Path, *rows: str, **dialect: Any) -> list[Item]:
    text = "device,metric,value,unit,measured_at\r\n" + "\r\n".join(rows)
    return read(write(tmp_path, text), **dialect)


def test_long_form(tmp_path: Path) -> None:
    (item,) = long(tmp_path, "S1,kvp,81.5,kV,2026-03-01T12:00:00+01:00")
    assert (item.device, item.metric, item.value, item.unit) == ("S1", "kvp", 81.5, "kV")
    assert item.measured_at == datetime(2026, 3, 1, 11, tzinfo=UTC)
    assert (item.line, item.error) == (2, None)


@pytest.mark.parametrize(("bom", "encoding"), [("\ufeff", "utf-8"), ("", "utf-8"), ("", "cp1252")])
def test_what_excel_in_germany_writes(tmp_path: Path, bom: str, encoding: str) -> None:
    text = f"{bom}Time;kvp [kV];Öltemp (Cel)\n01.03.2026 12:00;81,5;\n01.03.2026 12:05;80;41,25\n"
    path = write(tmp_path, text, encoding)
    dialect, headings = csv_readings.propose(path, zone="Europe/Berlin")
    assert dialect.encoding == ("windows-1252" if encoding == "cp1252" else "utf-8")
    assert (dialect.delimiter, dialect.decimal, dialect.form) == (";", ",", "wide")
    assert dialect.columns == {"measured_at": "Time"}
    assert headings[2] == "Öltemp (Cel)"
    found = read(path, **{**dialect.to_json(), "device": "S1"})
    assert [(i.line, i.metric, i.value, i.unit) for i in found] == [
        (2, "kvp", 81.5, "kV"), (3, "kvp", 80.0, "kV"), (3, "Öltemp", 41.25, "Cel"),
    ]  # fmt: skip
    assert found[0].measured_at == datetime(2026, 3, 1, 11, tzinfo=UTC)


def test_times_that_the_clock_shows_twice_or_never(tmp_path: Path) -> None:
    zone = {"zone": "Europe/Berlin"}
    twice, never, said, winter = long(
        tmp_path,
        "S,kvp,1,kV,2025-10-26 02:30:00",
        "S,kvp,1,kV,2025-03-30T02:30",
        "S,kvp,1,kV,2025-10-26T02:30:00+02:00",
        "S,kvp,1,kV,2025-10-26 03:00",
        **zone,
    )
    assert twice.error is not None
    assert never.error is not None
    assert (twice.error[0], never.error[0]) == ("ambiguous_time", "nonexistent_time")
    assert said.measured_at == datetime(2025, 10, 26, 0, 30, tzinfo=UTC)
    assert winter.measured_at == datetime(2025, 10, 26, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["03/04/2026 12:00", "2026-13-01 12:00", "yesterday", "", "31.02.2026 10:00",
             "2026-03-01", "0001-01-01T00:00:00+14:00"]
)  # fmt: skip
def test_times_that_name_no_moment(tmp_path: Path, text: str) -> None:
    (item,) = long(tmp_path, f"S,kvp,1,kV,{text}")
    assert item.error is not None
    assert item.error[0] == "invalid_time"


@pytest.mark.parametrize("text", ["=1+1", "1.234,5", "1,5", "", "NaN", "0x10", "\uff11", "1_000"])
def test_what_is_no_number_stays_text(tmp_path: Path, text: str) -> None:
    (item,) = long(tmp_path, f'S,kvp,"{text}",kV,2026-03-01T12:00Z')
    assert item.value == text


def test_line_numbers_with_breaks_in_cells_and_empty_lines(tmp_path: Path) -> None:
    found = long(tmp_path, '"S\n1",kvp,1,kV,2026-03-01T12:00Z', "", "S2,kvp,1,kV,2026-03-01T12:00Z")
    assert [item.line for item in found] == [2, 5]


def test_broken_rows_are_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    data = b"device,metric,value,unit,measured_at\nS,kvp,1,kV,2026-03-01T12:00Z,more\n"
    data += b"S\xff,kvp,1,kV,2026-03-01T12:00Z\nS,kv\0p,1,kV,2026-03-01T12:00Z\n"
    data += b"S,kvp\nS,kvp,1,kV,2026-03-01T12:00Z\n"
    found = read(write(tmp_path, data))
    codes = [item.error[0] if item.error else "" for item in found]
    assert codes == ["too_many_cells", "bad_character", "bad_character", "invalid_time", ""]
    found[1].text.encode()


def test_an_open_quote_can_not_swallow_the_file(tmp_path: Path) -> None:
    found = long(tmp_path, 'S,"kvp,1,kV,2026-03-01T12:00Z', *["x" * 1000] * 200)
    assert [item.error[0] for item in found if item.error] == ["broken_row"]
    assert found[0].line == 2


def test_skipping_rows_gives_the_same_rest(tmp_path: Path) -> None:
    text = "device,metric,value,unit,measured_at\n" + "S,kvp,1,kV,2026-03-01T12:00Z\n\n" * 20
    path, dialect = write(tmp_path, text), Dialect(columns=LONG)
    whole = list(csv_readings.items(path, dialect))
    assert [number for number, _ in whole] == list(range(1, 21))
    assert list(csv_readings.items(path, dialect, skip=13)) == whole[13:]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"encoding": "utf-7"}, "unknown_dialect"),
        ({"zone": "Mars/Olympus"}, "unknown_zone"),
        ({"zone": "../../etc/passwd"}, "unknown_zone"),
        ({"columns": {**LONG, "unit": "Unit"}}, "unknown_column"),
        ({"columns": {"metric": "metric", "value": "value"}}, "column_missing"),
        ({"form": "wide", "columns": {"measured_at": "measured_at"}, "device": "S"},
         "column_missing"),
    ],
)  # fmt: skip
def test_dialects_that_make_no_sense(change: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        csv_readings.check(Dialect(**{"columns": LONG, **change}), list(csv_readings.FIELDS))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("data", "code"), [(b"", "empty_file"), (b"  \n", "empty_file"), (b"PK\x03\x04\0", "not_text")]
)
def test_what_is_no_csv(tmp_path: Path, data: bytes, code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        csv_readings.propose(write(tmp_path, data), zone="UTC")
    assert caught.value.code == code
