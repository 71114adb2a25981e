"""Limits of days, changes as text and JSON, assumptions: pure, each refusal with its code."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from planning import assumptions, changes, guard
from planning.changes import Change
from twinhealth.errors import InvalidInputError


def of(**fields: Any) -> guard.Limits:
    usual: dict[str, Any] = {
        "due_on": date(2026, 12, 1), "grace_days": 7, "last_done": None, "longest_months": None,
    }  # fmt: skip
    return guard.limits(**(usual | fields))


def test_the_manufacturers_interval_counts_from_the_last_time() -> None:
    found = of(last_done=date(2026, 6, 1), longest_months=12)
    assert found.latest == date(2027, 6, 8)
    assert guard.refusal(found, day=date(2027, 6, 8), now=date(2026, 12, 1)) == ""
    said = guard.refusal(found, day=date(2027, 6, 9), now=date(2026, 12, 1))
    assert said.startswith("not permitted (CMS S&C 14-07)")


def test_where_it_is_not_known_it_is_the_plans_own() -> None:
    for fields in ({}, {"longest_months": 12}, {"last_done": date(2026, 1, 1)}):
        assert of(**fields).latest == date(2026, 12, 8)
    assert of(due_on=None) == guard.Limits()


def test_what_is_late_already_may_come_nearer() -> None:
    late = of(due_on=date(2026, 10, 1))
    assert guard.refusal(late, day=date(2026, 11, 1), now=date(2026, 12, 1)) == ""
    assert guard.refusal(late, day=date(2026, 12, 2), now=date(2026, 12, 1))


def test_too_early_makes_the_next_time_too_late() -> None:
    own = of(next_due=date(2027, 3, 1))
    assert own.earliest == date(2026, 11, 24)
    assert "before 2026-11-24" in guard.refusal(own, day=date(2026, 11, 23), now=date(2026, 12, 1))
    # the manufacturer allows more than the plan's own interval: as much earlier
    more = of(next_due=date(2027, 3, 1), longest_months=6)
    assert more.earliest == date(2026, 8, 25)


def test_leaving_out() -> None:
    assert guard.refusal_to_drop(guard.Limits(), next_due=None) == ""
    assert guard.refusal_to_drop(of(), next_due=None)
    assert guard.refusal_to_drop(of(), next_due=date(2027, 3, 1))
    far = of(last_done=date(2026, 9, 1), longest_months=12)
    assert guard.refusal_to_drop(far, next_due=date(2027, 3, 1)) == ""


DAYS = st.dates(date(2000, 1, 1), date(2999, 12, 31))
IDS = st.integers(0, 2**63 - 1)
ANY = st.one_of(
    st.builds(Change, st.just("move"), order=IDS, day=DAYS),
    st.builds(Change, st.just("drop"), order=IDS),
    st.builds(
        Change, st.just("add"), machine=IDS, day=DAYS, hours=st.sampled_from([0.25, 2.0, 24.0])
    ),
    st.builds(Change, st.just("part"), machine=IDS),
    st.builds(Change, st.just("part_model"), model=IDS),
)


@given(ANY)
def test_a_change_is_read_as_it_was_written(change: Change) -> None:
    assert changes.parse(change.text) == change
    assert changes.from_json(change.to_json()) == change


@pytest.mark.parametrize(
    "text",
    [
        "", "move", "move:1", "move:x:2026-01-01", "move:1:2026-13-01", "move:1:0001-01-01",
        f"drop:{2**63}", "drop:-1", "drop:²", "add:1:2026-01-01:nan", "add:1:2026-01-01:0",
        "add:1:2026-01-01:1_0", "engineer:2026-02-01:2026-01-01", "none:1", "drop:1:2",
    ],
)  # fmt: skip
def test_what_is_no_change(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        changes.parse(text)
    assert caught.value.code == "change_invalid"


@given(st.text(max_size=60))
def test_any_text_is_a_change_or_refused(text: str) -> None:
    try:
        changes.parse(text)
    except InvalidInputError as error:
        assert error.code == "change_invalid"  # noqa: PT017 - either way is right


def test_many_changes() -> None:
    drop = Change("drop", order=1)
    assert changes.many([drop, drop]) == [drop]
    with pytest.raises(InvalidInputError) as twice:
        changes.many([drop, Change("move", order=1, day=date(2026, 1, 1))])
    assert (twice.value.code, twice.value.extra) == ("changed_twice", {"order": 1})
    with pytest.raises(InvalidInputError) as more:
        changes.many(Change("drop", order=n) for n in range(51))
    assert more.value.code == "too_many_changes"


def test_assumptions() -> None:
    found = assumptions.parse({"wear": "0.25", "engineers": "3", "rate": "", "seed": 9, "x": "y"})
    assert (found.wear, found.engineers, found.rate, found.seed) == (0.25, 3, None, 9)
    assert found.given() == {"wear": 0.25, "engineers": 3, "seed": 9}
    assert assumptions.parse(found.given()) == found
    for name, value, code in (
        ("wear", "x", "assumption_invalid"), ("wear", "nan", "assumption_invalid"),
        ("wear", "1.5", "assumption_out_of_range"), ("runs", "1e9", "assumption_out_of_range"),
        ("runs", "99.5", "assumption_invalid"), ("engineers", "1_0", "assumption_invalid"),
        ("engineers", True, "assumption_invalid"), ("seed", "-1", "assumption_out_of_range"),
        ("part_hours", "inf", "assumption_out_of_range"),
    ):  # fmt: skip
        with pytest.raises(InvalidInputError) as caught:
            assumptions.parse({name: value})
        assert (caught.value.code, caught.value.extra["name"]) == (code, name)
