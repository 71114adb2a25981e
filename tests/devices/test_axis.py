"""One time axis: the span of an address, lanes, what was usual, readings as CSV."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from devices.models import Alert, Device, Downtime, Metric, WorkOrder
from devices.selectors.baseline import FEWEST, baseline
from devices.selectors.lanes import Lanes, lanes
from devices.services.evaluation import evaluate_rules
from devices.services.events import append
from devices.spans import SHORTEST, Span, asked
from imaging.models import Image
from tests.detection.factories import make_image
from tests.devices import factories as f
from tests.devices.test_pages import client, page
from twinhealth.errors import InvalidInputError

NOW = datetime(2026, 3, 29, 12, tzinfo=UTC)  # on this day Berlin's clocks go forward
DAY = timedelta(days=1)
# as hypothesis takes its bounds: without a zone
FIRST, LAST = (NOW.replace(year=year, tzinfo=None) for year in (2025, 2027))


def test_the_span_of_an_address() -> None:
    week = asked({}, now=NOW)
    assert (week.start, week.end, week.key) == (NOW - 7 * DAY, NOW, "7d")
    assert asked({"range": "30d"}, now=NOW, at=NOW - DAY).end == NOW - DAY
    exact = asked({"from": "2026-03-01T00:00Z", "to": "2026-03-02T00:00+01:00"}, now=NOW)
    assert (exact.length, exact.key) == (timedelta(hours=23), "")
    # nothing of the future, and nothing after the moment that is looked at
    assert asked({"from": "2026-03-01T00:00Z", "to": "2099-01-01T00:00Z"}, now=NOW).end == NOW
    assert asked({"from": "2026-03-01T00:00Z"}, now=NOW, at=NOW - DAY).end == NOW - DAY
    assert week.earlier() == Span(NOW - 14 * DAY, NOW - 7 * DAY)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"from": "soon"}, "invalid_time"),
        ({"from": "2026-03-02T00:00Z", "to": "2026-03-01T00:00Z"}, "bad_span"),
        ({"from": "2026-03-01T00:00Z", "to": "2026-03-01T00:00Z"}, "bad_span"),
        ({"from": "2030-01-01T00:00Z"}, "bad_span"),
        ({"from": "1990-01-01T00:00Z"}, "bad_span"),
        ({"from": "2026-03-01T00:00"}, "invalid_time"),
    ],
)
def test_spans_that_make_no_sense(query: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        asked(query, now=NOW)
    assert caught.value.code == code


@given(
    start=st.datetimes(FIRST, LAST, timezones=st.just(UTC)),
    end=st.datetimes(FIRST, LAST, timezones=st.just(UTC)),
    back=st.integers(0, 400),
)
def test_a_span_never_shows_what_came_later(start: datetime, end: datetime, back: int) -> None:
    at = NOW - timedelta(hours=back)
    query = {"from": start.isoformat(), "to": end.isoformat()}
    try:
        span = asked(query, now=NOW, at=at)
    except InvalidInputError:
        assert start > min(end, at) - SHORTEST
    else:
        assert span.end <= at
        assert span.start == start
        assert span.length >= SHORTEST


# --- lanes


@pytest.fixture
def machine(db: None) -> tuple[Device, Metric]:
    model = f.model()
    noise = f.metric(model, unit="kV")
    f.rule(noise)
    device = f.device(model)
    Device.objects.filter(pk=device.pk).update(registered_at=NOW - 100 * DAY)
    return device, noise


def kinds(found: Lanes, lane: str) -> list[tuple[str, bool]]:
    items = next(one.items for one in found.lanes if one.key == lane)
    return [(item.kind, item.lasts) for item in items]


def fill(device: Device, noise: Metric) -> Alert:
    for hours, value in ((50, 5), (49, 20), (48, 21), (20, 22)):
        f.reading(device, noise, value, NOW - timedelta(hours=hours))
    evaluate_rules(device=device, now=NOW - timedelta(hours=20))
    alert = Alert.objects.get()
    append(device=device, kind="config_reported", payload={"config": {"sw": "2"}}, at=NOW - DAY)
    WorkOrder.objects.create(
        device=device, title="Look", state="done", started_at=NOW - 2 * DAY,
        completed_at=NOW - DAY, signature="E",
    )  # fmt: skip
    WorkOrder.objects.create(
        device=device, title="Later", state="planned", due_on=(NOW - DAY).date()
    )
    WorkOrder.objects.update(created_at=NOW - 3 * DAY)
    Downtime.objects.create(device=device, starts_at=NOW - DAY, reason="Tube")
    return alert


def test_lanes_say_what_happened(machine: tuple[Device, Metric]) -> None:
    device, noise = machine
    alert = fill(device, noise)
    found = lanes(device, Span(NOW - 7 * DAY, NOW))
    assert kinds(found, "config") == [("config_reported", False)]
    assert kinds(found, "alerts") == [("act", True)]
    assert sorted(kinds(found, "work")) == [("down", True), ("due", False), ("order", False)]
    words = [item.text for _, item in found.listed]
    assert any("sw 2" in text for text in words)
    assert any(alert.message in text for text in words)
    assert any("WO-" in text and text.endswith(", done") for text in words)
    assert found.listed[0][1].start == NOW - timedelta(hours=49)  # the alert's first reading
    # an event of an alert has its bar and isn't told twice
    assert not any("alert opened" in text for text in words)


def test_lanes_as_of_a_past_moment_know_nothing_later(machine: tuple[Device, Metric]) -> None:
    device, noise = machine
    alert = fill(device, noise)
    Alert.objects.filter(pk=alert.pk).update(
        state="resolved", resolved_at=NOW - timedelta(hours=1), resolve_reason="repaired"
    )
    then = NOW - timedelta(hours=30)
    before = lanes(device, Span(then - 7 * DAY, then))
    assert kinds(before, "alerts") == []  # its readings were there, nobody had been told
    assert kinds(before, "config") == []
    assert sorted(kinds(before, "work")) == [("due", False), ("order", True)]
    still = lanes(device, Span(NOW - 2 * DAY, NOW - timedelta(hours=2)))
    assert kinds(still, "alerts") == [("act", True)]
    assert "resolved" not in next(one for one in still.lanes if one.key == "alerts").items[0].text
    assert "resolved: repaired" in lanes(device, Span(NOW - 2 * DAY, NOW)).listed[0][1].text


def film(device: Device, at: datetime) -> None:
    image = make_image()
    Image.objects.filter(pk=image.pk).update(device=device, acquired_at=at)


def test_images_are_counted_by_hour_or_day_of_the_hospital(
    machine: tuple[Device, Metric],
) -> None:
    device, _ = machine
    for hours in (1, 1.5, 30, 200):
        film(device, NOW - timedelta(hours=hours))
    days = lanes(device, Span(NOW - 7 * DAY, NOW))
    assert (days.step, days.image_total) == (86_400, 3)
    with timezone.override("Europe/Berlin"):
        hours = lanes(device, Span(NOW - 2 * DAY, NOW))
        assert (hours.step, [n for _, n in hours.images]) == (3600, [1, 1, 1])
        starts = [at for at, _ in lanes(device, Span(NOW - 7 * DAY, NOW)).images]
        assert {timezone.localtime(at).hour for at in starts} == {0}


def test_lanes_cost_five_queries(
    machine: tuple[Device, Metric], django_assert_num_queries: Any
) -> None:
    device, noise = machine
    fill(device, noise)
    for number in range(5):
        append(device=device, kind="config_reported", payload={"config": {"n": str(number)}})
    with django_assert_num_queries(5):
        lanes(device, Span(NOW - 7 * DAY, NOW)).as_data()


# --- what was usual


def test_usual_is_what_the_same_hour_held_in_the_weeks_before(
    machine: tuple[Device, Metric], django_assert_num_queries: Any
) -> None:
    device, noise = machine
    start = NOW.replace(hour=0)
    rows = []
    for day in range(1, 29):  # at 3 o'clock 1 to 28, at 15 o'clock always 7, at 20 too few
        night = start - day * DAY
        rows.append(f.reading(device, noise, day, night + timedelta(hours=3)))
        rows.append(f.reading(device, noise, 7, night + timedelta(hours=15)))
        if day < FEWEST:
            f.reading(device, noise, 99, night + timedelta(hours=20))
    f.reading(device, noise, 1000, start - 40 * DAY + timedelta(hours=3))  # too long ago
    f.reading(device, noise, 1000, start + timedelta(hours=3))  # of the span itself
    with django_assert_num_queries(2):
        found = baseline(device, Span(start, NOW), resolution="5min")
    hours = found.hours["noise"]
    assert sorted(hours) == [3, 15]
    three = hours[3]
    assert (three.low, three.middle, three.high, three.n) == (2, 14, 27, 28)
    assert (hours[15].low, hours[15].high) == (7, 7)
    days = baseline(device, Span(start, NOW), resolution="day").days["noise"]
    means = sorted((d + 7 + 99) / 3 if d < FEWEST else (d + 7) / 2 for d in range(1, 29))
    assert (days.middle, days.n) == (pytest.approx(means[13]), 28)
    assert baseline(device, Span(NOW - 90 * DAY, NOW), resolution="day").days == {}


# --- CSV


def lines(answer: Any) -> list[list[str]]:
    assert answer.status_code == 200
    text = b"".join(answer.streaming_content).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


def test_raw_readings_as_csv(machine: tuple[Device, Metric]) -> None:
    device, noise = machine
    odd = f.metric(device.model, "temp", unit="Cel")
    now = timezone.now()
    f.reading(device, noise, -1.25, now - timedelta(minutes=30))
    f.reading(device, odd, 36.5, now - timedelta(minutes=30))
    f.reading(device, odd, 37, now - timedelta(minutes=10))
    f.reading(device, odd, 1, now - timedelta(days=3))
    engineer = client()
    for prefix in ("", "/api/v1"):
        url = f"{prefix}/devices/{device.pk}/readings.csv"
        header, *rows = lines(engineer.get(f"{url}?range=24h"))
        assert header == ["measured_at", "noise [kV]", "temp [Cel]"]
        assert [row[1:] for row in rows] == [["-1.25", "36.5"], ["", "37.0"]]
        assert datetime.fromisoformat(rows[0][0]).tzinfo is not None
        only = lines(engineer.get(f"{url}?range=24h&metric=noise"))
        assert [row[1:] for row in only] == [["noise [kV]"], ["-1.25"]]
        for bad in ("metric=nonsense", "resolution=nonsense", "from=soon"):
            assert engineer.get(f"{url}?{bad}").status_code == 400


def test_steps_as_csv_and_a_file_that_would_be_too_long(machine: tuple[Device, Metric]) -> None:
    device, noise = machine
    base = NOW - DAY
    for seconds, value in ((0, 1.0), (60, 3.0), (301, 5.0)):
        f.reading(device, noise, value, base + timedelta(seconds=seconds))
    engineer = client()
    span = f"from={(NOW - 7 * DAY).isoformat()}&to={NOW.isoformat()}".replace("+", "%2B")
    header, *rows = lines(engineer.get(f"/devices/{device.pk}/readings.csv?{span}"))
    assert header[1:] == ["noise mean [kV]", "noise min [kV]", "noise max [kV]", "noise n"]
    assert [row[1:] for row in rows] == [["2.0", "1.0", "3.0", "2"], ["5.0", "5.0", "5.0", "1"]]
    day = lines(engineer.get(f"/devices/{device.pk}/readings.csv?{span}&resolution=day"))
    assert day[1][1:] == ["3.0", "1.0", "5.0", "3"]


def test_a_hostile_serial_names_no_header(machine: tuple[Device, Metric]) -> None:
    device, _ = machine
    Device.objects.filter(pk=device.pk).update(serial='x"\r\nSet-Cookie: a=b/../é')
    answer = client().get(f"/devices/{device.pk}/readings.csv")
    assert re.fullmatch(
        r'attachment; filename="[A-Za-z0-9._-]+\.csv"', answer.headers["Content-Disposition"]
    )


# --- the page and REST


def test_the_page_has_lanes_a_table_and_a_span(machine: tuple[Device, Metric]) -> None:
    device, noise = machine
    now = timezone.now()
    for minutes, value in ((180, 5), (120, 11), (60, 12)):
        f.reading(device, noise, value, now - f.minutes(minutes))
    evaluate_rules(device=device, now=now)
    engineer = client()
    text = page(engineer, f"/devices/{device.pk}/?range=24h")
    found = re.search(r'<script id="lane-data" type="application/json">(.*?)</script>', text)
    assert found is not None
    data = json.loads(found.group(1))
    assert [lane["key"] for lane in data["lanes"]] == [
        "config", "alerts", "work", "images", "journal",
    ]  # fmt: skip
    assert data["lanes"][1]["items"][0]["url"] == f"/alerts/{Alert.objects.get().pk}/"
    assert "What happened, as a table" in text
    assert f'data-usual="/api/v1/devices/{device.pk}/baseline/"' in text
    first = (now - f.minutes(90)).isoformat().replace("+", "%2B")
    part = page(engineer, f"/devices/{device.pk}/?from={first}")
    shown = json.loads(re.search(r'id="twin-data"[^>]*>(.*?)</script>', part).group(1))  # type: ignore[union-attr]
    assert shown["charts"][0]["v"] == [12]
    assert engineer.get(f"/devices/{device.pk}/?from=2999-01-01T00:00").status_code == 400


def test_rest_of_the_axis(machine: tuple[Device, Metric]) -> None:
    device, noise = machine
    fill(device, noise)
    film(device, NOW - DAY)
    span = {"from": (NOW - 7 * DAY).isoformat(), "to": NOW.isoformat()}
    engineer: Client = client()
    body = engineer.get(f"/api/v1/devices/{device.pk}/timeline/", span).json()
    assert [lane["key"] for lane in body["lanes"]][:2] == ["config", "alerts"]
    assert body["lanes"][1]["items"][0]["lasts"] is True
    assert body["images"][0]["count"] == 1
    assert body["from"].startswith("2026-03-22T12:00:00")
    for hour in range(FEWEST):
        f.reading(device, noise, hour, NOW - (8 + hour) * DAY)
    usual = engineer.get(f"/api/v1/devices/{device.pk}/baseline/", span).json()
    assert usual["metrics"]["noise"]["12"] == [0, 4, 9, FEWEST]
    assert engineer.get("/api/v1/devices/999999/timeline/").status_code == 404
    assert engineer.get(f"/api/v1/devices/{device.pk}/timeline/?from=x").status_code == 400
