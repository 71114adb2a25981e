"""What to label next: the pure reasons."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from detection.labelling import FEW, WORDS, Facts, Wanted, Why, in_order, wanted

THRESHOLDS = {"covid": 0.5, "pneumonia": 0.4, "normal": 0.3}


def facts(image: int = 1, **changes: Any) -> Facts:
    """A film that the model is sure of, of a machine it knows, that nobody has touched."""
    sure: dict[str, Any] = {
        "scores": {"covid": 0.95},
        "thresholds": THRESHOLDS,
        "verdicts": frozenset(),
        "conclusion": "",
        "machine_signed": FEW,
    }
    return Facts(image=image, **(sure | changes))


def reasons(**changes: Any) -> list[tuple[str, str]]:
    found = wanted(facts(**changes))
    return [(r.why, r.text) for r in found.reasons] if found else []


def test_a_film_that_teaches_nothing():
    assert reasons() == []
    assert reasons(verdicts=frozenset({"accept"})) == []
    assert reasons(scores={}) == []


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {"scores": {"covid": 0.53}},
            [(Why.UNCERTAIN, "covid 0.53, close to its threshold 0.50")],
        ),
        (
            {"scores": {"pneumonia": 0.31}},
            [(Why.UNCERTAIN, "pneumonia 0.31, close to its threshold 0.40")],
        ),
        ({"scores": {"covid": 0.85, "pneumonia": 0.80}}, [(Why.UNCERTAIN, "covid 0.85 or pneumonia 0.80")]),
        ({"scores": {"covid": 0.61}}, []),
        # a normal lung near its own threshold flags nothing either way
        ({"scores": {"normal": 0.31}}, []),
        ({"verdicts": frozenset({"reject"})}, [(Why.DISAGREE, "a reader rejected a finding")]),
        ({"verdicts": frozenset({"edit"})}, [(Why.DISAGREE, "a reader changed a finding")]),
        (
            {"verdicts": frozenset({"add"})},
            [(Why.DISAGREE, "a reader drew a box that the model lacks")],
        ),
        (
            {"conclusion": "normal"},
            [(Why.DISAGREE, "signed as normal, the model saw covid 0.95")],
        ),
        (
            {"conclusion": "abnormal", "scores": {"normal": 0.9, "covid": 0.49}},
            [(Why.DISAGREE, "signed as abnormal, the model flagged nothing")],
        ),
        ({"conclusion": "abnormal"}, []),
        ({"conclusion": "normal", "scores": {"normal": 0.9}}, []),
        ({"machine_signed": 0}, [(Why.NEW_MACHINE, "no signed film from its machine")]),
        ({"machine_signed": 1}, [(Why.NEW_MACHINE, "only 1 signed film from its machine")]),
        ({"machine_signed": 3}, [(Why.NEW_MACHINE, "only 3 signed films from its machine")]),
        ({"machine_signed": None}, []),
    ],
)  # fmt: skip
def test_the_sentence_says_why(changes, expected):
    assert reasons(**changes) == expected


def test_a_signed_film_takes_no_verdicts_so_only_disagreement_keeps_it():
    unsure = {"scores": {"covid": 0.51}, "machine_signed": 0}
    assert {why for why, _ in reasons(**unsure)} == {Why.UNCERTAIN, Why.NEW_MACHINE}
    assert reasons(**unsure, conclusion="abnormal") == []
    assert [why for why, _ in reasons(**unsure, conclusion="normal")] == [Why.DISAGREE]


def test_a_film_that_nobody_could_read_is_in_no_list():
    assert reasons(conclusion="not_readable", verdicts=frozenset({"edit"})) == []


def test_all_reasons_stand_in_the_sentence_strongest_first():
    found = wanted(
        facts(verdicts=frozenset({"reject", "edit"}), scores={"covid": 0.5}, machine_signed=2)
    )
    assert found is not None
    assert found.sentence == (
        "a reader changed a finding; a reader rejected a finding; "
        "covid 0.50, close to its threshold 0.50; only 2 signed films from its machine"
    )
    assert found.kinds == set(Why)
    assert set(WORDS) == set(Why)


def test_order():
    rows = {
        "edited": facts(1, verdicts=frozenset({"edit"})),
        "rejected": facts(2, verdicts=frozenset({"reject"})),
        "at the threshold": facts(3, scores={"covid": 0.50}),
        "near it": facts(4, scores={"covid": 0.57}),
        "at it, new machine too": facts(5, scores={"covid": 0.50}, machine_signed=0),
        "new machine": facts(6, machine_signed=0),
        "newish machine": facts(7, machine_signed=FEW - 1),
    }
    found = [w for w in map(wanted, rows.values()) if w]
    names = list(rows)
    assert [names[w.image - 1] for w in in_order(found[::-1])] == [
        "edited", "rejected", "at it, new machine too", "at the threshold", "near it",
        "new machine", "newish machine",
    ]  # fmt: skip


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    scores=st.dictionaries(st.sampled_from(sorted(THRESHOLDS)), st.floats(0, 1)),
    thresholds=st.dictionaries(st.sampled_from(sorted(THRESHOLDS)), st.floats(0, 1)),
    verdicts=st.frozensets(st.sampled_from(["accept", "edit", "reject", "add"])),
    conclusion=st.sampled_from(["", "normal", "abnormal", "not_readable"]),
    machine_signed=st.none() | st.integers(0, 1000),
)
def test_whatever_the_facts_weights_are_shares(**drawn: Any):
    found = wanted(Facts(image=1, **drawn))
    assert found is None or isinstance(found, Wanted)
    for reason in found.reasons if found else ():
        assert 0 <= reason.weight <= 1
        assert reason.text
