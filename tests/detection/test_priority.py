from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

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
    return priority.urgency(priority.rank(f), priority.head_start(f), f.waiting_since, now)


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


def test_past_the_ceiling_a_quiet_film_stands_before_later_ones() -> None:
    quiet = film(61)
    fresh = film(1, label="covid", score=0.95)
    weak = film(1, label="pneumonia", score=0.45)
    assert urgency(weak) < urgency(quiet)
    assert urgency(film(59)) < urgency(weak)
    assert urgency(quiet) > urgency(fresh)
    assert urgency(film(62, label="covid", score=1.0)) > urgency(quiet)


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


# --- what is guaranteed against first-in-first-out

WORDS = st.builds(
    lambda state, score, trust: {
        "run_state": state,
        "label": "covid" if state == "done" and score is not None else "",
        "score": score if state == "done" else None,
        "trust": trust,
    },
    st.sampled_from(["queued", "running", "done", "failed", "refused", ""]),
    st.none() | st.floats(0, 1),
    st.sampled_from(["full", "reduced", "unknown"]),
)


@given(WORDS, WORDS, st.floats(60, 10_000), st.floats(0.001, 10_000))
def test_past_the_ceiling_no_later_film_stands_in_front(
    mine: dict[str, object], its: dict[str, object], waited: float, later: float
) -> None:
    assert urgency(film(waited, **mine)) > urgency(film(waited - later, **its))


@given(WORDS, st.sampled_from(["", "stat", "high", "routine", "medium", "low"]), st.floats(0, 600))
def test_the_detector_only_brings_forward(
    word: dict[str, object], asked: str, waited: float
) -> None:
    quiet = film(waited, urgency=asked)
    assert urgency(film(waited, urgency=asked, **word)) >= urgency(quiet) - 1e-9
    assert 0 <= priority.head_start(film(waited, **word)) < priority.LIFT


@given(
    st.lists(st.tuples(st.floats(0, 30), st.floats(0.5, 20), WORDS), min_size=1, max_size=40),
    st.sampled_from([0.1, 1.0, 2.0]),
)
def test_one_reader_begins_no_film_later_than_a_ceiling_beyond_its_turn(
    arrivals: list[tuple[float, float, dict[str, object]]], load: float
) -> None:
    """Arrival gaps and reading times in minutes; a reader who never idles while a film waits."""
    at, films = 0.0, []
    for gap, reading, word in arrivals:
        at += gap
        films.append((at, reading * load, word))
    ours = _begun(films, lambda f, now: urgency(film(now - f[0], **f[2])))
    in_turn = _begun(films, lambda f, now: -f[0])
    longest = max(f[1] for f in films)
    ceiling = CEILING.total_seconds() / 60
    for n in range(len(films)):
        assert ours[n] <= in_turn[n] + ceiling + longest + 1e-6


def _begun(films: list[Any], first: Callable[[Any, float], float]) -> dict[int, float]:
    now, waiting, begun = 0.0, set(range(len(films))), {}
    while waiting:
        here = [n for n in sorted(waiting) if films[n][0] <= now]
        if not here:
            now = min(films[n][0] for n in waiting)
            continue
        chosen = max(here, key=lambda n: (first(films[n], now), -n))
        begun[chosen] = now
        waiting.remove(chosen)
        now += films[chosen][1]
    return begun


def test_a_request_pushes_and_says_so() -> None:
    stat, old = film(0, urgency="stat"), film(10_000, label="covid", score=1.0)
    assert (
        urgency(stat)
        > urgency(film(0, urgency="high"))
        > urgency(film(0, label="covid", score=1.0))
    )
    assert urgency(stat) > urgency(old) > urgency(film(0, urgency="high"))
    assert urgency(film(0, urgency="high")) > urgency(film(119))
    assert urgency(film(0, urgency="low")) < urgency(film(0)) == urgency(film(0, urgency="medium"))
    assert priority.needs_reader(film(0, urgency="high"))
    assert not priority.needs_reader(film(0, urgency="routine"))
    assert priority.why(stat, [], NOW) == "asked for as STAT"
    set_by_hand = film(0, urgency="high", urgency_reason="tube in doubt", trust="reduced")
    assert priority.why(set_by_hand, [], NOW) == (
        "asked for as urgent (tube in doubt); no finding, but the machine's trust is reduced"
    )
