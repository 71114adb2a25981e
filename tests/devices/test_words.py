"""Moments, chart columns and the journal's sentences."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from devices import journal_words, moments
from devices.charts import Point, columns
from twinhealth.errors import InvalidInputError

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["2026-03-01T12:00:00Z", "2026-03-01T14:00:00+02:00", "2026-03-01T14:00:00 02:00"],
)
def test_moments(text: str) -> None:
    assert moments.moment(text) == NOW


def test_a_moment_is_in_utc_whatever_offset_it_was_written_with() -> None:
    # an offset that PostgreSQL refuses
    found = moments.moment("2026-02-28T16:01:00-19:59")
    assert (found, found.tzinfo) == (NOW, UTC)


def test_a_form_speaks_the_hospitals_clock() -> None:
    zone = ZoneInfo("Europe/Berlin")
    assert moments.moment("2026-03-01T13:00", zone=zone) == NOW
    assert moments.moment("2026-03-01T12:00Z", zone=zone) == NOW
    with pytest.raises(InvalidInputError):
        moments.moment("2026-03-01T13:00")


@pytest.mark.parametrize("text", ["", "x", "2026-02-30T00:00Z", "0001-01-01T00:00+14:00", "2026"])
def test_not_a_moment(text: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        moments.moment(text, zone=timezone(timedelta(hours=14)))
    assert error.value.code == "invalid_time"


def test_past() -> None:
    assert moments.past(" ", now=NOW) is None
    assert moments.past("2026-03-01T12:00:00Z", now=NOW) == NOW
    with pytest.raises(InvalidInputError) as error:
        moments.past("2026-03-01T12:00:01Z", now=NOW)
    assert error.value.code == "in_future"


def points(*minutes: float) -> list[Point]:
    return [Point(NOW + timedelta(minutes=m), m, m - 1, m + 1, 1) for m in minutes]


def test_silence_is_a_gap() -> None:
    found = columns(points(0, 1, 2, 10, 11))
    assert found["v"] == [0, 1, 2, None, 10, 11]
    assert found["lo"] == [-1, 0, 1, None, 9, 10]
    assert found["t"][3] == (NOW + timedelta(minutes=6)).timestamp()
    assert found["t"] == sorted(found["t"])


def test_even_or_few_points_have_no_gap() -> None:
    assert columns(points(0, 60, 120))["v"] == [0, 60, 120]
    assert columns(points(5))["v"] == [5]
    assert columns([]) == {"t": [], "v": [], "lo": [], "hi": []}


@pytest.mark.parametrize(
    ("kind", "payload", "text"),
    [
        (
            "config_reported",
            {"config": {"a": "2", "b": "1"}, "previous": {"a": "1"}},
            "a 1 → 2, b 1",
        ),
        ("config_desired", {"config": {}, "previous": {"a": "1"}}, "a no longer wanted"),
        ("lifecycle", {"lifecycle": "out_of_service", "reason": "tube"}, "out of service: tube"),
        ("lifecycle", {"lifecycle": "in_service"}, "in service"),
        ("registered", {"name": "XR", "model": "A B"}, "XR, A B"),
        ("alert_opened", {"message": "hot"}, "hot"),
        ("alert_resolved", {"rule": "heat", "reason": "false_alarm"}, "heat: false alarm"),
        ("alert_resolved", {"rule": "heat"}, "heat"),
        ("maintenance_done", {"title": "PM"}, "PM"),
        ("alias_confirmed", {"value": "OLD"}, "OLD"),
    ],
)
def test_sentences(kind: str, payload: dict[str, object], text: str) -> None:
    assert journal_words.sentence(kind, payload) == text
