"""Tolerance and action level: by properties against fractions, and the tests of a protocol."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.tests_of import LARGEST, ProtocolTest, clean_tests, from_json, result
from quality.tolerance import ORDER, Bands, mean, worst
from tests.quality.rows import TESTS
from twinhealth.errors import InvalidInputError

# numbers as people type them
typed = st.decimals(-10_000, 10_000, allow_nan=False, places=3).map(float)
width = st.decimals(0, 1_000, allow_nan=False, places=3).map(float)
sides = st.sampled_from(["both", "above", "below"])


def fraction(value: float) -> Fraction:
    return Fraction(Decimal(repr(value)))


@given(typed, typed, width, width, sides, st.booleans())
def test_verdicts_are_those_of_exact_arithmetic(
    value: float, reference: float, a: float, b: float, side: Any, percent: bool
) -> None:
    tolerance, action = sorted((a, b))
    if percent and reference == 0:
        reference = 1.0
    bands = Bands(reference, tolerance, action, "percent" if percent else "absolute", side)
    off = fraction(value) - fraction(reference)
    if side == "above":
        off = max(off, Fraction(0))
    if side == "below":
        off = min(off, Fraction(0))
    scale = abs(fraction(reference)) / 100 if percent else Fraction(1)
    wanted = "pass"
    if abs(off) > fraction(tolerance) * scale:
        wanted = "tolerance"
    if abs(off) > fraction(action) * scale:
        wanted = "action"
    assert bands.verdict(value) == wanted


@given(typed, width, width, sides, width, width)
def test_farther_off_is_never_better(
    reference: float, a: float, b: float, side: Any, near: float, more: float
) -> None:
    tolerance, action = sorted((a, b))
    bands = Bands(reference, tolerance, action, "absolute", side)
    for way in (1, -1):
        one = ORDER.index(bands.verdict(reference + way * near))
        assert ORDER.index(bands.verdict(reference + way * (near + more))) >= one


def test_a_value_on_the_limit_is_inside_though_floats_say_otherwise() -> None:
    assert 0.8 - 0.7 > 0.1  # what the arithmetic is exact for
    assert Bands(0.7, 0.1, 0.2).verdict(0.8) == "pass"
    assert Bands(0.7, 0.1, 0.1).verdict(0.8000001) == "action"
    assert Bands(-50, 2, 4, "percent").verdict(-51) == "pass"
    assert Bands(-50, 2, 4, "percent").verdict(-51.5) == "tolerance"
    assert Bands(20, 1, 2, side="above").verdict(0) == "pass"


def test_limits() -> None:
    assert Bands(70, 2, 5, side="below").limits() == {
        "tolerance_low": 68.0, "tolerance_high": None, "action_low": 65.0, "action_high": None,
    }  # fmt: skip


@given(st.lists(st.sampled_from(ORDER)))
def test_a_session_is_as_bad_as_its_worst_test(verdicts: list[Any]) -> None:
    found = worst(verdicts)
    assert all(ORDER.index(found) >= ORDER.index(each) for each in verdicts)
    assert found in verdicts or (not verdicts and found == "pass")


@given(st.lists(typed, min_size=1, max_size=20))
def test_the_mean_lies_between(values: list[float]) -> None:
    assert min(values) <= mean(values) <= max(values)
    assert mean([0.1] * len(values)) == 0.1


# --- tests of a protocol


def cleaned(**changes: Any) -> ProtocolTest:
    row = {**TESTS[0], **changes}
    return clean_tests([row], keys={"old"}, metrics={"noise"})[0]


def test_a_test_goes_through_json() -> None:
    for row in TESTS:
        test = clean_tests([row], keys=set(), metrics=set())[0]
        assert from_json(test.to_json()) == test
    assert cleaned(key="old").key == "old"
    assert len(cleaned().key) == 8


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": "  "}, "name_missing"),
        ({"name": "x" * 121}, "name_too_long"),
        ({"kind": "guess"}, "unknown_kind"),
        ({"unit": "furlong"}, "unknown_unit"),
        ({"mode": "relative"}, "unknown_mode"),
        ({"side": "left"}, "unknown_side"),
        ({"reference": "seventy"}, "not_a_number"),
        ({"reference": "NaN"}, "not_a_number"),
        ({"reference": math.inf}, "not_a_number"),
        ({"reference": 10 * LARGEST}, "not_a_number"),
        ({"reference": True}, "not_a_number"),
        ({"reference": None}, "not_a_number"),
        ({"tolerance": -1}, "band_negative"),
        ({"tolerance": 6}, "bands_crossed"),
        ({"reference": 0, "mode": "percent"}, "percent_of_zero"),
        ({"metric": "dose"}, "unknown_metric"),
        ({"key": "foreign"}, "unknown_key"),
        ({"name": 7}, "name_invalid"),
        ({"kind": "choice", "choices": [{"text": "a", "verdict": "pass"}]}, "too_few_choices"),
        ({"kind": "choice", "choices": [{"text": "a", "verdict": "pass"}] * 2}, "choice_twice"),
        ({"kind": "choice", "choices": [{"text": "a", "verdict": "?"}] * 2}, "unknown_verdict"),
        ({"kind": "choice", "choices": ["a", "b"]}, "choice_invalid"),
        (
            {"kind": "choice", "choices": [{"text": str(n), "verdict": "pass"} for n in range(13)]},
            "too_many_choices",
        ),
    ],
)  # fmt: skip
def test_refused_tests(changes: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        cleaned(**changes)
    assert caught.value.code == code


def test_refused_protocols() -> None:
    for rows, code in (
        ([], "tests_missing"),
        ([{**TESTS[1], "name": str(n)} for n in range(61)], "too_many_tests"),
        ([TESTS[1], {**TESTS[1], "name": "UNIFORMITY"}], "test_twice"),
    ):
        with pytest.raises(InvalidInputError) as caught:
            clean_tests(rows, keys=set(), metrics=set())
        assert caught.value.code == code


def test_answers() -> None:
    test = cleaned()
    assert result(test, {}) is None
    assert result(test, {"values": ["", " "]}) is None
    found = result(test, {"values": ["69,5", "70.5", 71], "note": "warm"})
    assert found is not None
    assert (found.values, found.verdict, found.note) == ((69.5, 70.5, 71.0), "pass", "warm")
    assert found.number == pytest.approx(70.333333)
    other = result(test, {"values": ["76000"], "unit": "V"})
    assert other is not None
    assert (other.number, other.verdict) == (pytest.approx(76), "action")


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        ({"values": ["nan"]}, "not_a_number"),
        ({"values": ["inf"]}, "not_a_number"),
        ({"values": ["-Infinity"]}, "not_a_number"),
        ({"values": ["1e400"]}, "not_a_number"),
        ({"values": ["seventy"]}, "not_a_number"),
        ({"values": ["70"], "unit": "mA"}, "unit_mismatch"),
        ({"values": ["70"], "unit": "parsec"}, "unknown_unit"),
    ],
)
def test_refused_answers(answer: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        result(cleaned(), answer)
    assert caught.value.code == code


def test_choices_and_looks() -> None:
    look, choice = (clean_tests([row], keys=set(), metrics=set())[0] for row in TESTS[1:])
    assert result(look, {"passed": None}) is None
    assert [result(look, {"passed": said}).verdict for said in (True, False)] == ["pass", "action"]  # type: ignore[union-attr]
    assert result(choice, {"choice": "faint"}).verdict == "tolerance"  # type: ignore[union-attr]
    assert result(choice, {"choice": ""}) is None
    with pytest.raises(InvalidInputError) as caught:
        result(choice, {"choice": "none at all"})
    assert caught.value.code == "unknown_choice"
