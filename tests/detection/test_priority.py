from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from detection import priority
from detection.priority import CEILING, HIGH, Film, Seen

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
THRESHOLDS = {"covid": 0.5, "pneumonia": 0.4, "normal": 0.3}


def film(minutes: float = 0, **fields: object) -> Film:
    defaults = {"run_state": "done", "label": "", "score": None, "trust": "full"}
    return Film(**(defaults | fields), waiting_since=NOW - timedelta(minutes=minutes))  # type: ignore[arg-type]


@dataclass
class Stored:
    rank: float
    head_start: float
    waiting_since: datetime
    urgency: str


def urgency(f: Film, now: datetime = NOW, ceiling: timedelta = CEILING) -> float:
    stored = Stored(priority.rank(f), priority.head_start(f), f.waiting_since, f.urgency)
    return priority.urgency(stored, now, ceiling)


# every ceiling that the reading policy takes
CEILINGS = st.integers(15, 1440).map(lambda minutes: timedelta(minutes=minutes))


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
    st.floats(0, 3000),
    st.floats(0, 3000),
    CEILINGS,
)
def test_waiting_never_lowers_and_ai_never_pushes_below_a_quiet_film(
    score: float, trust: str, waited: float, more: float, ceiling: timedelta
) -> None:
    found = film(waited, label="covid", score=score, trust=trust)
    assert urgency(found, ceiling=ceiling) >= urgency(film(waited), ceiling=ceiling)
    later = NOW + timedelta(minutes=more)
    assert urgency(found, later, ceiling) >= urgency(found, NOW, ceiling) - 1e-9


@given(CEILINGS)
def test_the_ceiling_is_reached_exactly(ceiling: timedelta) -> None:
    assert priority.waited_past_ceiling(NOW - ceiling, NOW, ceiling)
    assert not priority.waited_past_ceiling(NOW - ceiling + timedelta(seconds=1), NOW, ceiling)


@given(st.floats(0, 1), st.floats(0, 0.999), CEILINGS)
def test_below_the_ceiling_a_flagged_film_stands_before_every_quiet_one(
    score: float, share: float, ceiling: timedelta
) -> None:
    quiet = film(share * ceiling / timedelta(minutes=1))
    assert urgency(film(0, label="covid", score=score), ceiling=ceiling) > urgency(
        quiet, ceiling=ceiling
    )


@pytest.mark.parametrize(
    ("minutes", "words"),
    [(15, "15 min"), (60, "60 min"), (119, "119 min"), (240, "4 h"), (1439, "23 h 59 min")],
)
def test_a_ceiling_in_words(minutes: int, words: str) -> None:
    assert priority.in_words(timedelta(minutes=minutes)) == words
    assert priority.why(film(2000), [], NOW, timedelta(minutes=minutes)) == f"waited past {words}"


@pytest.mark.parametrize(
    ("centers", "side"), [((0.2,), "left"), ((0.8,), "right"), ((0.2, 0.8), "both"), ((), "")]
)
def test_side_of_the_picture(centers: tuple[float, ...], side: str) -> None:
    assert priority.side(Seen("covid", 0.9, c) for c in centers) == side


def test_the_sentence_names_what_counts() -> None:
    flags = [Seen("covid", 0.914, 0.2), Seen("covid", 0.7, 0.8), Seen("pneumonia", 0.6, 0.2)]
    f = film(12, label="covid", score=0.914, trust="reduced")
    assert priority.why(f, flags, NOW, CEILING) == "covid 0.91, both sides; machine's trust reduced"


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
    assert priority.why(film(minutes, **fields), [], NOW, CEILING) == sentence


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


ASKED = st.sampled_from(["", "stat", "high", "routine", "medium", "low"])


@given(WORDS, WORDS, ASKED, CEILINGS, st.floats(0, 10_000), st.floats(0.001, 10_000))
def test_past_the_ceiling_no_later_film_stands_in_front(
    mine: dict[str, object],
    its: dict[str, object],
    asked: str,
    ceiling: timedelta,
    past: float,
    later: float,
) -> None:
    waited = ceiling / timedelta(minutes=1) + past
    assert urgency(film(waited, urgency=asked, **mine), ceiling=ceiling) > urgency(
        film(waited - later, urgency=asked, **its), ceiling=ceiling
    )


@given(WORDS, ASKED, st.floats(0, 3000), CEILINGS)
def test_the_detector_only_brings_forward(
    word: dict[str, object], asked: str, waited: float, ceiling: timedelta
) -> None:
    quiet, found = film(waited, urgency=asked), film(waited, urgency=asked, **word)
    assert urgency(found, ceiling=ceiling) >= urgency(quiet, ceiling=ceiling) - 1e-9
    assert 0 <= priority.head_start(film(waited, **word)) < priority.LIFT


@given(
    st.lists(st.tuples(st.floats(0, 30), st.floats(0.5, 20), WORDS), min_size=1, max_size=40),
    st.sampled_from([0.1, 1.0, 2.0]),
    CEILINGS,
)
def test_one_reader_begins_no_film_later_than_a_ceiling_beyond_its_turn(
    arrivals: list[tuple[float, float, dict[str, object]]], load: float, ceiling: timedelta
) -> None:
    """Arrival gaps and reading times in minutes; a reader who never idles while a film waits."""
    at, films = 0.0, []
    for gap, reading, word in arrivals:
        at += gap
        films.append((at, reading * load, word))
    ours = _begun(films, lambda f, now: urgency(film(now - f[0], **f[2]), ceiling=ceiling))
    in_turn = _begun(films, lambda f, now: -f[0])
    longest = max(f[1] for f in films)
    allowed = ceiling / timedelta(minutes=1) + longest
    for n in range(len(films)):
        assert ours[n] <= in_turn[n] + allowed + 1e-6


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
    assert priority.why(stat, [], NOW, CEILING) == "asked for as STAT"
    set_by_hand = film(0, urgency="high", urgency_reason="tube in doubt", trust="reduced")
    assert priority.why(set_by_hand, [], NOW, CEILING) == (
        "asked for as urgent (tube in doubt); no finding, but the machine's trust is reduced"
    )


@given(WORDS, WORDS, CEILINGS, st.floats(0, 3000))
def test_high_stands_before_all_below_the_ceiling_and_two_hours_of_those_past_it(
    mine: dict[str, object], its: dict[str, object], ceiling: timedelta, waited: float
) -> None:
    high = urgency(film(0, urgency="high", **mine), ceiling=ceiling)
    below = min(waited, ceiling / timedelta(minutes=1) - 0.01)
    assert high > urgency(film(below, **its), ceiling=ceiling)
    assert high > urgency(film(HIGH * 60 - 0.01, **its), ceiling=ceiling)


@given(st.floats(0, 3000), st.floats(0, 3000), CEILINGS)
def test_low_counts_as_come_half_an_hour_later(
    waited: float, other: float, ceiling: timedelta
) -> None:
    low, quiet = film(waited, urgency="low"), film(other)
    both_past = min(waited, other) >= ceiling / timedelta(minutes=1)
    if both_past and waited - other > 30.001:
        assert urgency(low, ceiling=ceiling) > urgency(quiet, ceiling=ceiling)
    if waited - other < 29.999:
        # past the ceiling or not, a film that came less than half an hour later goes first,
        # unless the ceiling lies between the two
        same_side = both_past or max(waited, other) < ceiling / timedelta(minutes=1)
        assert not same_side or urgency(low, ceiling=ceiling) < urgency(quiet, ceiling=ceiling)
