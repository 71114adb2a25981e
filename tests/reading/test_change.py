"""What changed between a prior film and the present one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reading.change import Mark, changes

LEFT, RIGHT = 0.25, 0.75


def said(before: list[Mark], now: list[Mark]) -> list[str]:
    return [f"{change.side}: {change.text}" for change in changes(before, now)]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ([], [], []),
        ([], [Mark("covid", LEFT, 0.1)], ["left: covid: new"]),
        ([Mark("covid", RIGHT, 0.1)], [], ["right: covid: gone"]),
        (
            [Mark("pneumonia", LEFT, 0.1)],
            [Mark("covid", LEFT, 0.1)],
            ["left: covid instead of pneumonia"],
        ),
        ([Mark("covid", LEFT, 0.1)], [Mark("covid", LEFT, 0.11)], ["left: covid: same"]),
        (
            [Mark("covid", LEFT, 0.1)],
            [Mark("covid", LEFT, 0.2)],
            ["left: covid: larger (2.0 times its share of the film)"],
        ),
        (
            [Mark("covid", LEFT, 0.2), Mark("covid", LEFT, 0.2)],
            [Mark("covid", LEFT, 0.1)],
            ["left: covid: smaller (0.2 times its share of the film)"],
        ),
        ([Mark("normal", LEFT, 0.2)], [Mark("normal", RIGHT, 0.2)], []),
        # a disease that changed sides is gone here and new there, not "instead"
        (
            [Mark("covid", LEFT, 0.2)],
            [Mark("covid", RIGHT, 0.2)],
            ["left: covid: gone", "right: covid: new"],
        ),
    ],
)
def test_each_kind_of_change(before: list[Mark], now: list[Mark], expected: list[str]) -> None:
    assert said(before, now) == expected


MARKS = st.lists(
    st.builds(
        Mark,
        label=st.sampled_from(["covid", "pneumonia", "normal"]),
        center=st.floats(0, 1),
        area=st.floats(0.001, 1),
    ),
    max_size=6,
)


@given(MARKS)
def test_a_film_compared_with_itself_has_not_changed(marks: list[Mark]) -> None:
    assert {change.kind for change in changes(marks, marks)} <= {"same"}


@given(MARKS, MARKS)
def test_looking_back_says_the_opposite(before: list[Mark], now: list[Mark]) -> None:
    opposite = {
        "new": "gone",
        "gone": "new",
        "larger": "smaller",
        "smaller": "larger",
        "same": "same",
        "instead": "instead",
    }
    there = sorted(opposite[c.kind] for c in changes(before, now))
    assert there == sorted(c.kind for c in changes(now, before))
