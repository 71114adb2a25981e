"""UCUM codes: converted, or refused by name."""

from __future__ import annotations

import pytest

from devices import units
from twinhealth.errors import InvalidInputError


@pytest.mark.parametrize(
    ("value", "code", "to", "expected"),
    [
        (70.0, "kV", "kV", 70.0),
        (70_000.0, "V", "kV", 70.0),
        (300.0, "K", "Cel", 26.85),
        (98.6, "[degF]", "Cel", 37.0),
        (0.5, "1", "%", 50.0),
        (2.5, "A", "mA", 2500.0),
        (2_500.0, "uA.s", "mA.s", 2.5),
        (0.2, "s", "ms", 200.0),
        (1.0, "bar", "kPa", 100.0),
        (1.0, "mGy", "uGy", 1000.0),
        (12.0, "{exposures}", "1", 12.0),
        (3.0, "dB", "dB", 3.0),
        (1.0, "h", "min", 60.0),
    ],
)
def test_converts(value: float, code: str, to: str, expected: float) -> None:
    assert units.convert(value, code, to) == pytest.approx(expected)


@pytest.mark.parametrize("code", ["volts", "", "KV", "kv", "Celsius", "{a}{b}", "*", "m"])
def test_refuses_what_it_does_not_know_or_what_does_not_fit(code: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        units.convert(1.0, code, "kV")
    assert error.value.code == ("unit_mismatch" if code == "m" else "unknown_unit")


@pytest.mark.parametrize(("code", "to"), [("dB", "1"), ("1", "dB"), ("kV", "mA")])
def test_different_things(code: str, to: str) -> None:
    with pytest.raises(InvalidInputError, match="can't be turned") as error:
        units.convert(1.0, code, to)
    assert error.value.code == "unit_mismatch"


def test_too_large() -> None:
    with pytest.raises(InvalidInputError) as error:
        units.convert(1e308, "kV", "mV")
    assert error.value.code == "not_a_number"


def test_every_code_of_the_table_has_a_meaning() -> None:
    for code in units._CODES:
        assert units.convert(1.0, code, code) == 1.0
        units._registry().Unit(units._CODES[code])
