"""The table of codes: well-formed, and converting as the units say."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from patients.codes import BY_CODE, KINDS, Lane, label


def check_digit(number: str) -> int:
    """LOINC's check digit is Luhn's (LOINC Users' Guide, appendix on the check digit)."""
    total = 0
    for place, digit in enumerate(map(int, reversed(number))):
        doubled = digit * 2 if place % 2 == 0 else digit
        total += doubled - 9 if doubled > 9 else doubled
    return -total % 10


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.code)
def test_each_row_is_well_formed(kind):
    number, check = kind.code.split("-")
    assert check_digit(number) == int(check)
    assert kind.low < kind.high
    assert kind.unit not in kind.accepts
    assert kind.units[0] == kind.unit
    assert kind.name
    assert kind.loinc_name
    assert len(kind.unit) <= 32


def test_codes_are_unique_and_every_lane_has_some():
    assert len(BY_CODE) == len(KINDS)
    assert {kind.lane for kind in KINDS} == set(Lane)


@pytest.mark.parametrize(
    ("code", "value", "unit", "expected"),
    [
        ("8310-5", "98.6", "[degF]", "37.0000"),
        ("8310-5", "-40", "[degF]", "-40.0000"),
        ("8310-5", "37.2", "Cel", "37.2000"),
        ("2339-0", "5.5", "mmol/L", "99.0858"),
        ("1988-5", "1.2", "mg/dL", "12.0000"),
        ("6690-2", "7.4", "10*9/L", "7.4000"),
        ("29463-7", "150", "[lb_av]", "68.0389"),
        ("29463-7", "3400", "g", "3.4000"),
        ("93832-4", "450", "min", "7.5000"),
        ("55423-8", "8000", "1", "8000.0000"),
        ("2160-0", "88.4", "umol/L", "1.0000"),
        ("48065-7", "0.5", "mg/L{FEU}", "500.0000"),
        ("48065-7", "0.5", "ug/mL{FEU}", "500.0000"),
    ],
)
def test_conversions(code: str, value: str, unit: str, expected: str):
    converted = BY_CODE[code].convert(Decimal(value), unit)
    assert converted is not None
    assert converted.quantize(Decimal("0.0001")) == Decimal(expected)


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("8310-5", "cel"),
        ("8480-6", "mmHg"),
        ("48065-7", "ng/mL{DDU}"),
        ("8867-4", ""),
        ("2524-7", "mg/dL"),
    ],
)
def test_other_units_are_not_guessed(code: str, unit: str):
    assert BY_CODE[code].convert(Decimal(1), unit) is None


@given(st.sampled_from(KINDS), st.decimals(0, 1000, places=2))
def test_conversion_keeps_order(kind, value: Decimal):
    for unit in kind.units:
        lower, upper = kind.convert(value, unit), kind.convert(value + 1, unit)
        assert lower is not None
        assert upper is not None
        assert lower < upper


def test_bounds_are_included():
    pulse = BY_CODE["8867-4"]
    assert pulse.is_plausible(pulse.low)
    assert pulse.is_plausible(pulse.high)
    assert not pulse.is_plausible(pulse.high + Decimal("0.0001"))


def test_a_lost_code_keeps_its_number():
    assert label("8867-4") == "heart rate"
    assert label("0-0") == "0-0"
