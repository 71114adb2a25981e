from __future__ import annotations

from typing import Any

import pytest

from detection.truth import Found, Opinion, Truth, truth_of

THRESHOLDS = {"covid": 0.5, "pneumonia": 0.4, "normal": 0.3}
BOX = (1.0, 2.0, 3.0, 4.0)
OTHER = (5.0, 6.0, 7.0, 8.0)
SIGNER, READER = 7, 8


def truth(*findings: Found, conclusion: str = "abnormal", added: tuple[Opinion, ...] = ()) -> Truth:
    return truth_of(
        conclusion=conclusion,
        signer=SIGNER,
        findings=findings,
        added=added,
        thresholds=THRESHOLDS,
    )


def found(label: str, score: float = 0.9, opinion: Opinion | None = None) -> Found:
    return Found(label, score, BOX, opinion)


def boxes(given: Truth) -> list[tuple[Any, ...]]:
    return [(b.label, b.box, b.verdict, b.origin, b.by) for b in given.boxes]


def test_an_accepted_box_is_the_models_whatever_its_score() -> None:
    opinion = Opinion("accept", "", None, READER)
    given = truth(found("covid", 0.01, opinion))
    assert boxes(given) == [("covid", BOX, "accept", "model", READER)]
    assert not given.left_out


@pytest.mark.parametrize(
    ("label", "box", "expected"),
    [
        ("pneumonia", None, ("pneumonia", BOX, "edit", "model", READER)),
        ("", OTHER, ("covid", OTHER, "edit", "human", READER)),
        ("pneumonia", OTHER, ("pneumonia", OTHER, "edit", "human", READER)),
    ],
)
def test_an_edit_replaces_what_it_names(label: str, box: Any, expected: tuple[Any, ...]) -> None:
    assert boxes(truth(found("covid", 0.9, Opinion("edit", label, box, READER)))) == [expected]


def test_a_rejected_box_goes_and_is_counted() -> None:
    given = truth(found("covid", 0.9, Opinion("reject", "", None, READER)), conclusion="normal")
    assert given == Truth((), "", {"rejected": 1})


def test_an_added_box_is_a_persons() -> None:
    given = truth(added=(Opinion("add", "covid", OTHER, READER),))
    assert boxes(given) == [("covid", OTHER, "add", "human", READER)]


@pytest.mark.parametrize(
    ("conclusion", "label", "score", "dropped"),
    [
        ("abnormal", "covid", 0.5, {}),
        ("abnormal", "covid", 0.49, {"unreviewed_below_threshold": 1}),
        ("abnormal", "normal", 0.9, {"unreviewed_against_conclusion": 1}),
        ("normal", "normal", 0.3, {}),
        ("normal", "pneumonia", 0.9, {"unreviewed_against_conclusion": 1}),
        ("normal", "pneumonia", 0.39, {"unreviewed_below_threshold": 1}),
    ],
)
def test_an_unreviewed_finding_counts_only_with_the_conclusion(
    conclusion: str, label: str, score: float, dropped: dict[str, int]
) -> None:
    given = truth(found(label, score), conclusion=conclusion)
    kept = [] if dropped else [(label, BOX, "unreviewed", "model", SIGNER)]
    assert (boxes(given), dict(given.dropped)) == (kept, dropped)


def test_films_that_would_teach_what_nobody_said_are_left_out() -> None:
    assert truth(found("covid"), conclusion="not_readable") == Truth((), "not_readable", {})
    assert truth(found("covid", 0.1)).left_out == "abnormal_without_box"
    accepted = found("covid", 0.9, Opinion("accept", "", None, READER))
    assert truth(accepted, conclusion="normal").left_out == "normal_with_disease"


def test_the_order_of_opinions_does_not_matter() -> None:
    one = Opinion("add", "covid", OTHER, READER)
    two = Opinion("add", "covid", BOX, SIGNER)
    assert truth(added=(one, two)) == truth(added=(two, one))
