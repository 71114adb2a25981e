from __future__ import annotations

import pytest

from detection.truth import LEFT_OUT, SAME_PLACE, ModelBox, Said, Settled, Signed, iou, settle

LEFT, RIGHT = (10.0, 10.0, 100.0, 200.0), (150.0, 10.0, 100.0, 200.0)
THRESHOLDS = {"covid": 0.5, "pneumonia": 0.4, "normal": 0.3}
READER, SIGNER = 1, 2


def finding(number: int, label: str = "covid", score: float = 0.9, box=LEFT) -> ModelBox:
    return ModelBox(number, label, score, box)


def said(verdict: str, number: int | None = None, label: str = "", box=None) -> Said:
    return Said(number, verdict, label, box, READER, "clinician")


def film(conclusion: str, findings=(), verdicts=(), thresholds=THRESHOLDS) -> Settled:
    return settle(
        findings=findings,
        verdicts=verdicts,
        signed=Signed(conclusion, SIGNER, "clinician"),
        thresholds=thresholds,
    )


def boxes(settled: Settled) -> set[tuple[object, ...]]:
    assert not settled.left_out
    return {(b.label, b.box, b.origin, b.verdict, b.by) for b in settled.boxes}


def test_what_each_verdict_makes_of_a_finding():
    """accept keeps, edit replaces label, box or both, add adds, reject removes."""
    moved = (20.0, 20.0, 90.0, 180.0)
    shown = boxes(
        film(
            "abnormal",
            [
                finding(1),
                finding(2, box=RIGHT),
                finding(3, box=(300.0, 0, 50, 50)),
                finding(4, "pneumonia", box=(400.0, 0, 50, 50)),
            ],
            [
                said("accept", 1),
                said("edit", 2, label="pneumonia"),
                said("reject", 3),
                said("edit", 4, box=moved),
                said("add", label="covid", box=(500.0, 0, 40, 40)),
            ],
        )
    )
    assert shown == {
        ("covid", LEFT, "accepted", "accept", READER),
        ("pneumonia", RIGHT, "accepted", "edit", READER),
        ("pneumonia", moved, "human", "edit", READER),
        ("covid", (500.0, 0, 40, 40), "human", "add", READER),
    }


def test_the_newest_verdict_counts_and_another_runs_is_passed_over():
    settled = film("abnormal", [finding(1)], [said("reject", 1), said("accept", 1)])
    assert boxes(settled) == {("covid", LEFT, "accepted", "accept", READER)}
    assert film("abnormal", [finding(1)], [said("accept", 99)]).left_out == "not_named"


@pytest.mark.parametrize("verdict", ["accept", "edit"])
def test_a_disease_that_a_reader_confirmed_and_a_normal_signature_contradict(verdict):
    label = "pneumonia" if verdict == "edit" else ""
    settled = film("normal", [finding(1)], [said(verdict, 1, label=label)])
    assert settled == Settled(left_out="contradiction")
    drawn = film("normal", (), [said("add", label="covid", box=LEFT)])
    assert drawn.left_out == "contradiction"


def test_a_normal_signature_speaks_for_normal_lungs_and_against_unjudged_diseases():
    settled = film(
        "normal",
        [finding(1, "normal"), finding(2, "normal", box=RIGHT), finding(3, "covid", 0.6)],
        [said("accept", 1)],
    )
    assert boxes(settled) == {
        ("normal", LEFT, "accepted", "accept", READER),
        ("normal", RIGHT, "concluded", "sign", SIGNER),
    }


def test_a_rejected_normal_lung_is_none():
    only = film("normal", [finding(1, "normal")], [said("reject", 1)])
    assert only.left_out == "no_boxes"
    assert film("normal", [finding(1, "covid", 0.6)]).left_out == "no_boxes"
    assert film("normal", [finding(1, "normal", 0.29)]).left_out == "no_boxes"


def test_abnormal_needs_a_reader_who_says_with_what():
    """The conclusion alone doesn't tell COVID-19 from pneumonia: signing isn't confirming."""
    assert film("abnormal", [finding(1)]).left_out == "not_named"
    assert film("abnormal", [finding(1)], [said("reject", 1)]).left_out == "not_named"
    assert film("abnormal", [finding(1, "normal")], [said("accept", 1)]).left_out == "not_named"


def test_an_unjudged_finding_counts_where_a_verdict_on_the_film_agrees():
    both = film("abnormal", [finding(1), finding(2, box=RIGHT)], [said("accept", 1)])
    assert boxes(both) == {
        ("covid", LEFT, "accepted", "accept", READER),
        ("covid", RIGHT, "concluded", "sign", SIGNER),
    }


@pytest.mark.parametrize("label", ["pneumonia", "normal"])
def test_an_unjudged_finding_that_nobody_agrees_with_leaves_the_film_out(label):
    findings = [finding(1), finding(2, label, 0.45, box=RIGHT)]
    assert film("abnormal", findings, [said("accept", 1)]).left_out == "unsettled"
    below = [finding(1), finding(2, label, THRESHOLDS[label] - 0.01, box=RIGHT)]
    assert len(film("abnormal", below, [said("accept", 1)]).boxes) == 1


def test_where_a_reader_has_spoken_an_unjudged_finding_of_the_same_place_is_silent():
    findings = [finding(1), finding(2, "pneumonia", 0.45), finding(3, "normal", 0.4)]
    settled = film("abnormal", findings, [said("accept", 1)])
    assert boxes(settled) == {("covid", LEFT, "accepted", "accept", READER)}


def test_a_film_without_a_reading_can_still_be_drawn_on():
    drawn = film("abnormal", (), [said("add", label="covid", box=LEFT)], thresholds={})
    assert boxes(drawn) == {("covid", LEFT, "human", "add", READER)}
    assert film("normal", (), (), thresholds={}).left_out == "no_boxes"


def test_not_readable_is_left_out_whatever_was_said():
    assert film("not_readable", [finding(1)], [said("accept", 1)]).left_out == "not_readable"


def test_the_order_of_rows_changes_nothing_and_a_box_counts_once():
    findings = [finding(1), finding(2, box=RIGHT)]
    verdicts = [said("accept", 1), said("accept", 2), said("add", label="covid", box=LEFT)]
    one = film("abnormal", findings, verdicts)
    other = film("abnormal", findings[::-1], verdicts)
    assert one == other
    assert len(one.boxes) == 2


def test_overlap():
    assert iou(LEFT, LEFT) == 1
    assert iou(LEFT, RIGHT) == 0
    assert iou((0, 0, 2, 2), (1, 0, 2, 2)) == pytest.approx(1 / 3)
    assert 0 < SAME_PLACE < 1


def test_each_reason_has_its_sentence():
    reasons = {"not_readable", "contradiction", "not_named", "unsettled", "no_boxes"}
    assert reasons < set(LEFT_OUT)
