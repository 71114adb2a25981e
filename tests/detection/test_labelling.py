"""The rule without a database: why a film is worth a label."""

from __future__ import annotations

from typing import Any

import pytest

from detection.labelling import FEW, Facts, reasons

THRESHOLDS = {"covid": 0.5, "pneumonia": 0.4, "normal": 0.3}


def said(**facts: Any) -> list[tuple[str, str]]:
    given = reasons(Facts(**({"best": {}, "thresholds": THRESHOLDS, "flagged": False} | facts)))
    return [(r.code, r.text) for r in given]


@pytest.mark.parametrize(
    ("best", "text"),
    [
        ({"covid": 0.55}, "covid 0.55, threshold 0.50"),
        ({"covid": 0.45}, "covid 0.45, threshold 0.50"),
        ({"pneumonia": 0.35, "covid": 0.1}, "pneumonia 0.35, threshold 0.40"),
        # below its threshold by less is nearer to being called than a higher score far below
        ({"pneumonia": 0.38, "covid": 0.42}, "pneumonia 0.38, threshold 0.40"),
        ({"covid": 0.80, "pneumonia": 0.78}, "pneumonia 0.78 or covid 0.80"),
    ],
)
def test_doubt_is_a_score_near_the_threshold_or_two_diseases(
    best: dict[str, float], text: str
) -> None:
    assert said(best=best) == [("uncertain", text)]


@pytest.mark.parametrize(
    "best",
    [
        {},
        {"covid": 0.95},
        {"covid": 0.95, "pneumonia": 0.41},  # one is sure: the other doesn't matter
        {"covid": 0.2},
        {"covid": 0.2, "pneumonia": 0.21},  # as likely as each other, and neither likely
        {"normal": 0.3},  # a normal lung is no disease
        {"other": 0.5},
    ],
)
def test_what_is_clear_needs_nobody(best: dict[str, float]) -> None:
    assert said(best=best) == []


@pytest.mark.parametrize(
    ("facts", "text"),
    [
        ({"verdicts": {"reject"}}, "a reader rejected a finding"),
        ({"verdicts": {"add", "edit"}}, "a reader changed a finding and added a box"),
        (
            {"conclusion": "normal", "flagged": True, "best": {"covid": 0.9}},
            "signed normal against covid 0.90; no box was judged",
        ),
        (
            {"conclusion": "abnormal", "best": {"covid": 0.1}},
            "signed abnormal, nothing flagged; no box was drawn",
        ),
    ],
)
def test_a_reader_against_the_model(facts: dict[str, Any], text: str) -> None:
    assert said(**facts) == [("disagree", text)]


@pytest.mark.parametrize(
    "facts",
    [
        {"verdicts": {"accept"}},
        {"conclusion": "abnormal", "flagged": True, "best": {"covid": 0.9}},
        {"conclusion": "normal", "best": {"covid": 0.49}},  # signed: no doubt is left to settle
        {"conclusion": "not_readable", "flagged": True},
    ],
)
def test_a_reader_with_the_model(facts: dict[str, Any]) -> None:
    assert said(**facts) == []


def test_a_machine_is_new_until_enough_of_its_films_are_signed() -> None:
    assert said(machine="XR-1") == [("new_device", "XR-1 has no signed film so far")]
    assert said(machine="XR-1", machine_signed=1) == [
        ("new_device", "XR-1 has 1 signed film so far")
    ]
    assert said(machine="XR-1", machine_signed=FEW - 1)
    assert said(machine="XR-1", machine_signed=FEW) == []
    assert said(machine_signed=0) == []


def test_a_known_error_comes_before_any_doubt_and_reasons_add_up() -> None:
    def of(**facts: Any) -> float:
        given = reasons(Facts(**({"best": {}, "thresholds": THRESHOLDS, "flagged": False} | facts)))
        return sum(r.weight for r in given)

    wrong = of(verdicts=frozenset({"reject"}))
    nearest = of(best={"covid": 0.5}, machine="XR-1")
    near, nearer = of(best={"covid": 0.58}), of(best={"covid": 0.52})
    assert wrong > nearest > nearer > near > 0
    assert of(verdicts=frozenset({"reject"}), best={"covid": 0.5}) > wrong
