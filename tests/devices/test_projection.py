"""The fold: pure, the same for any order of arrival, as of any moment; drift follows from it."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import reduce
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from devices import projection
from devices.drift import drift

T0 = datetime(2026, 3, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Event:
    revision: int
    kind: str
    at: datetime
    payload: dict[str, Any] = field(default_factory=dict)


def day(number: float) -> datetime:
    return T0 + timedelta(days=number)


def test_a_life() -> None:
    state = projection.fold(
        [
            Event(1, "registered", day(0), {"serial": "S", "name": "XR", "model": "A B"}),
            Event(2, "config_reported", day(1), {"config": {"sw": "1", "det": "D"}}),
            Event(3, "config_reported", day(2), {"config": {"sw": "2"}}),
            Event(4, "config_desired", day(3), {"config": {"sw": "3"}}),
            Event(5, "alert_opened", day(4), {"alert_id": 9, "rule": "r", "severity": "act"}),
            Event(6, "alias_confirmed", day(4), {"value": "OLD"}),
            Event(7, "lifecycle", day(5), {"lifecycle": "out_of_service"}),
            Event(8, "maintenance_done", day(6), {"order_id": 4, "title": "PM"}),
            Event(9, "alert_resolved", day(7), {"alert_id": 9}),
        ]
    )
    assert projection.values(state["reported"]) == {"det": "D", "sw": "2"}
    assert state["reported"]["sw"]["since"] == projection.iso(day(2))
    assert state["lifecycle"] == "out_of_service"
    assert state["open_alerts"] == {}
    assert state["aliases"] == ["OLD"]
    assert state["last_maintenance"]["order_id"] == 4
    assert (state["revision"], state["serial"]) == (9, "S")
    json.dumps(state)


def test_the_same_value_again_keeps_its_time() -> None:
    events = [Event(i, "config_reported", day(i), {"config": {"sw": "1"}}) for i in (1, 2)]
    assert projection.fold(events)["reported"]["sw"]["since"] == projection.iso(day(1))


def test_desired_is_replaced_as_a_whole() -> None:
    events = [
        Event(1, "config_desired", day(1), {"config": {"a": 1, "b": 2}}),
        Event(2, "config_desired", day(2), {"config": {"b": 2, "c": 3}}),
    ]
    desired = projection.fold(events)["desired"]
    assert projection.values(desired) == {"b": 2, "c": 3}
    assert desired["b"]["since"] == projection.iso(day(1))


def test_a_late_event_takes_its_place_in_time() -> None:
    events = [
        Event(1, "config_reported", day(10), {"config": {"sw": "2"}}),
        Event(2, "config_reported", day(5), {"config": {"sw": "1"}}),
    ]
    state = projection.fold(events)
    assert state["reported"]["sw"] == {"value": "2", "since": projection.iso(day(10))}
    assert (state["revision"], state["last_at"]) == (2, projection.iso(day(10)))


def test_apply_leaves_its_argument_alone_and_refuses_unknown_kinds() -> None:
    before = projection.empty()
    kept = copy.deepcopy(before)
    projection.apply(before, Event(1, "config_reported", day(0), {"config": {"a": "b"}}))
    assert before == kept
    with pytest.raises(KeyError):
        projection.apply(before, Event(1, "exploded", day(0)))


CONFIGS = st.dictionaries(st.sampled_from("abc"), st.sampled_from("12"), min_size=1)
KINDS = st.one_of(
    st.tuples(st.just("config_reported"), st.builds(lambda c: {"config": c}, CONFIGS)),
    st.tuples(st.just("config_desired"), st.builds(lambda c: {"config": c}, CONFIGS)),
    st.tuples(
        st.sampled_from(["alert_opened", "alert_resolved"]),
        st.builds(lambda i: {"alert_id": i}, st.integers(1, 2)),
    ),
    st.tuples(
        st.sampled_from(["component_installed", "component_removed", "component_corrected"]),
        st.builds(
            lambda i, of: {"component_id": i, "kind": "tube", "of": of},
            st.integers(1, 2),
            st.sampled_from(["installed", "removed"]),
        ),
    ),
)


@given(st.lists(st.tuples(KINDS, st.integers(0, 5)), max_size=12), st.randoms())
def test_the_fold_does_not_depend_on_the_order_given(entries: list[Any], random: Any) -> None:
    events = [
        Event(i + 1, kind, day(when), payload) for i, ((kind, payload), when) in enumerate(entries)
    ]
    shuffled = list(events)
    random.shuffle(shuffled)
    assert projection.fold(events) == projection.fold(shuffled)
    in_time = sorted(events, key=lambda e: (e.at, e.revision))
    assert projection.fold(events) == reduce(projection.apply, in_time, projection.empty())


def test_drift() -> None:
    reported = {"sw": {"value": "1", "since": "S"}, "det": {"value": "D", "since": "S"}}
    assert drift({"sw": "2", "det": "D", "ip": "x"}, reported) == [
        {"key": "ip", "desired": "x", "reported": None, "since": None},
        {"key": "sw", "desired": "2", "reported": "1", "since": "S"},
    ]
    assert drift({}, reported) == []
    assert drift({"n": 5}, {"n": {"value": "5", "since": "S"}}) == []
