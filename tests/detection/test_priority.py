from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection import priority
from detection.priority import CEILING, Film, Seen

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
THRESHOLDS = {"covid": 0.5, "pneumonia": 0.4, "normal": 0.3}


def film(minutes: float = 0, **fields: object) -> Film:
    defaults = {"run_state": "done", "label": "", "score": None, "trust": "full"}
    return Film(**(defaults | fields), waiting_since=NOW - timedelta(minutes=minutes))  # type: ignore[arg-type]


def urgency(f: Film, now: datetime = NOW) -> float:
    return priority.urgency(priority.rank(f), f.waiting_since, now)


def test_only_abnormal_findings_at_or_above_their_threshold_flag() -> None:
    findings = [
        Seen("normal", 0.99, 0.5),
        Seen("covid", 0.5, 0.5),
        Seen("covid", 0.4999, 0.5),
        Seen("pneumonia", 0.41, 0.5),
    ]
    assert [(f.label, f.score) for f in priority.flagging(findings, THRESHOLDS)] == [
        ("covid", 0.5),
        ("pneumonia", 0.41),
    ]


def test_a_class_without_a_threshold_never_flags() -> None:
    assert priority.flagging([Seen("covid", 0.99, 0.5)], {"pneumonia": 0.1}) == []


@pytest.mark.parametrize(
    ("fields", "needs"),
    [
        ({"label": "covid", "score": 0.9}, True),
        ({}, False),
        ({"trust": "reduced"}, True),
        ({"trust": "unknown"}, False),
        ({"run_state": "failed"}, True),
        ({"run_state": "refused"}, True),
        ({"run_state": ""}, True),
        ({"run_state": "queued"}, False),
        ({"run_state": "running"}, False),
        ({"run_state": "queued", "trust": "reduced"}, False),
    ],
)
def test_who_needs_a_reader(fields: dict[str, object], needs: bool) -> None:
    assert priority.needs_reader(film(**fields)) is needs


def test_the_order_at_one_moment() -> None:
    films = {
        "covid 0.9": film(5, label="covid", score=0.9),
        "covid 0.7 on a bad machine": film(5, label="covid", score=0.7, trust="reduced"),
        "covid 0.6": film(5, label="covid", score=0.6),
        "failed": film(5, run_state="failed"),
        "nothing, bad machine": film(5, trust="reduced"),
        "nothing": film(5),
    }
    ordered = sorted(films, key=lambda name: -urgency(films[name]))
    assert ordered == [
        "covid 0.7 on a bad machine",
        "covid 0.9",
        "covid 0.6",
        "failed",
        "nothing, bad machine",
        "nothing",
    ]


def test_past_the_ceiling_a_quiet_film_stands_among_the_flagged() -> None:
    quiet = film(61)
    fresh = film(1, label="covid", score=0.95)
    weak = film(1, label="pneumonia", score=0.45)
    assert urgency(weak) < urgency(quiet)
    assert urgency(film(59)) < urgency(weak)
    assert urgency(film(3 * 60)) > urgency(fresh)


@given(
    st.floats(0, 1),
    st.sampled_from(["full", "reduced", "unknown"]),
    st.floats(0, 600),
    st.floats(0, 600),
)
def test_waiting_never_lowers_and_ai_never_pushes_below_a_quiet_film(
    score: float, trust: str, waited: float, more: float
) -> None:
    found = film(waited, label="covid", score=score, trust=trust)
    assert urgency(found) >= urgency(film(waited))
    later = NOW + timedelta(minutes=more)
    assert urgency(found, later) >= urgency(found) - 1e-9


def test_the_ceiling_is_reached_exactly() -> None:
    assert priority.waited_past_ceiling(NOW - CEILING, NOW)
    assert not priority.waited_past_ceiling(NOW - CEILING + timedelta(seconds=1), NOW)


@pytest.mark.parametrize(
    ("centers", "side"), [((0.2,), "left"), ((0.8,), "right"), ((0.2, 0.8), "both"), ((), "")]
)
def test_side_of_the_picture(centers: tuple[float, ...], side: str) -> None:
    assert priority.side(Seen("covid", 0.9, c) for c in centers) == side


def test_the_sentence_names_what_counts() -> None:
    flags = [Seen("covid", 0.914, 0.2), Seen("covid", 0.7, 0.8), Seen("pneumonia", 0.6, 0.2)]
    f = film(12, label="covid", score=0.914, trust="reduced")
    assert priority.why(f, flags, NOW) == "covid 0.91, both sides; machine's trust reduced"


@pytest.mark.parametrize(
    ("fields", "minutes", "sentence"),
    [
        ({}, 5, "no finding, in turn"),
        ({}, 61, "waited past 60 min"),
        ({"run_state": "failed"}, 5, "the detector could not read it"),
        ({"run_state": ""}, 5, "no detector has read it"),
        ({"run_state": "queued"}, 5, "the detector is not done yet"),
        ({"trust": "reduced"}, 5, "no finding, but the machine's trust is reduced"),
        ({"label": "covid", "score": 0.8}, 5, "covid 0.80"),
    ],
)
def test_other_sentences(fields: dict[str, object], minutes: float, sentence: str) -> None:
    assert priority.why(film(minutes, **fields), [], NOW) == sentence
