"""What readings come to: any order, repetition and batches give what adding them all up gives."""

from __future__ import annotations

import math
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices import rollup
from devices.models import (
    Device,
    Metric,
    Reading,
    Reading5Min,
    ReadingDay,
    ReadingHour,
    ReadingLatest,
    RetentionRun,
)
from devices.selectors.newest import newest_many
from devices.selectors.readings import daily, series
from devices.services import reading_rows, retention
from devices.services.readings import ReadingIn, record_readings
from devices.services.rollups import rebuild_rollups
from tests.devices import factories as f
from tests.devices.test_events import in_threads

pytestmark = pytest.mark.django_db
ZONE = ZoneInfo("America/St_Johns")  # half an hour off, and changes its clock on 8 March 2026
START = datetime(2026, 3, 7, tzinfo=UTC)

Row = tuple[int, datetime, float]
rows = st.lists(
    st.tuples(
        st.integers(0, 1),
        st.integers(0, 3 * 24 * 60).map(lambda m: START + timedelta(minutes=m, microseconds=m)),
        st.one_of(st.floats(-1e100, 1e100), st.floats(-50, 50), st.sampled_from([1e-300, 0.1])),
    ),
    max_size=25,
)


@pytest.fixture(autouse=True)
def _zone(settings: Any) -> None:
    settings.TIME_ZONE = ZONE.key


def two_metrics() -> tuple[Device, list[Metric]]:
    model = f.model()
    return f.device(model), [f.metric(model, "a"), f.metric(model, "b")]


def send(device: Device, metrics: list[Metric], batch: list[Row]) -> None:
    items = [ReadingIn(metrics[m].key, value, "1", at) for m, at, value in batch]
    assert not record_readings(device=device, items=items, source="rest").rejected


def close(one: float, other: float, size: float) -> bool:
    return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9 * size)


def assert_right(device: Device) -> None:
    """Against a plain addition of the stored readings."""
    five, hours, days = defaultdict(list), defaultdict(list), defaultdict(list)
    newest: dict[int, Reading] = {}
    for reading in Reading.objects.filter(device=device).order_by("measured_at"):
        at, pair = reading.measured_at, (reading.measured_at, reading.value)
        begin = at - timedelta(
            minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond
        )
        five[reading.metric_id, begin].append(pair)
        full_hour = at.replace(minute=0, second=0, microsecond=0)
        hours[reading.metric_id, full_hour].append(pair)
        days[reading.metric_id, at.astimezone(ZONE).date()].append(pair)
        newest[reading.metric_id] = reading
    stored: list[tuple[dict[Any, Any], Any]] = [
        (five, {(r.metric_id, r.starts_at): r for r in Reading5Min.objects.filter(device=device)}),
        (hours, {(r.metric_id, r.starts_at): r for r in ReadingHour.objects.filter(device=device)}),
        (days, {(r.metric_id, r.day): r for r in ReadingDay.objects.filter(device=device)}),
    ]
    for expected, found in stored:
        assert set(expected) == set(found)
        for key, pairs in expected.items():
            values, row = [value for _, value in pairs], found[key]
            size = max(map(abs, values))
            mean = math.fsum(values) / len(values)
            assert (row.n, row.low, row.high) == (len(values), min(values), max(values))
            assert (row.first_at, row.last_at) == (pairs[0][0], pairs[-1][0])
            assert close(row.mean, mean, size)
            assert close(row.m2, math.fsum((v - mean) ** 2 for v in values), size * size)
    told = {
        r.metric_id: (r.measured_at, r.value, r.received_at)
        for r in ReadingLatest.objects.filter(device=device)
    }
    assert told == {m: (r.measured_at, r.value, r.received_at) for m, r in newest.items()}


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(given_rows=rows, data=st.data())
def test_any_order_repetition_and_batches(given_rows: list[Row], data: st.DataObject) -> None:
    # of two values for one moment the first one in stays: one value each, so that order is free
    given_rows = list({(m, at): (m, at, value) for m, at, value in given_rows}.values())
    device, metrics = two_metrics()
    sent = [*given_rows, *data.draw(st.lists(st.sampled_from(given_rows or [None]), max_size=5))]
    sent = data.draw(st.permutations([row for row in sent if row]))
    while sent:
        size = data.draw(st.integers(1, len(sent)))
        send(device, metrics, sent[:size])
        sent = sent[size:]
    assert Reading.objects.filter(device=device).count() == len(given_rows)
    assert_right(device)
    assert rebuild_rollups(device=device, repair=False)


def test_many_machines_in_one_statement(django_assert_max_num_queries: Any) -> None:
    """Each machine's are counted apart, also where they share metrics, moments and steps."""
    model = f.model()
    a, b = f.metric(model, "a"), f.metric(model, "b")
    devices = [f.device(model) for _ in range(4)]
    at = [START + timedelta(minutes=n, seconds=n) for n in range(70)]
    reading_rows.insert(
        values={devices[0].pk: {(a.pk, at[3]): 1.0, (b.pk, at[3]): 1.0}},
        source="rest",
        received_at=f.NOW,
    )
    values = {
        device.pk: {(m.pk, t): n + k / 3 for m in (a, b) for k, t in enumerate(at)}
        for n, device in enumerate(devices[:3])
    }
    limit = 1 if connection.vendor == "postgresql" else 8  # with a savepoint
    with django_assert_max_num_queries(limit):
        stored = reading_rows.insert(
            values={**values, devices[3].pk: {}}, source="rest", received_at=f.NOW
        )
    assert stored == {devices[0].pk: 138, devices[1].pk: 140, devices[2].pk: 140}
    assert reading_rows.insert(values=values, source="rest", received_at=f.NOW) == {}
    for device in devices:
        assert_right(device)
        assert rebuild_rollups(device=device, repair=False)
    assert Reading.objects.get(device=devices[0], metric=a, measured_at=at[3]).value == 1.0
    assert Reading.objects.get(device=devices[1], metric=a, measured_at=at[3]).value == 2.0


@pytest.mark.django_db(transaction=True)
def test_racing_writers() -> None:
    device, metrics = two_metrics()
    batches = [
        [(n % 2, START + timedelta(minutes=(7 * n + k) % 40), float(k)) for k in range(20)]
        for n in range(8)
    ]
    assert in_threads(8, lambda n: send(device, metrics, batches[n])) == []
    assert_right(device)


def test_a_value_too_large_for_adding_up_is_refused_alone() -> None:
    device, _ = two_metrics()
    items = [ReadingIn("a", v, "1", START + f.minutes(i)) for i, v in enumerate((1e308, -2e100, 5))]
    result = record_readings(device=device, items=items, source="rest")
    assert (result.accepted, [r["code"] for r in result.rejected]) == (1, ["not_a_number"] * 2)
    assert_right(device)


@pytest.mark.parametrize("model", [Reading5Min, ReadingHour, ReadingDay, ReadingLatest])
@pytest.mark.parametrize("way", ["changed", "gone", "extra"])
def test_check_finds_and_repair_mends(model: Any, way: str) -> None:
    device, metrics = two_metrics()
    send(device, metrics, [(n % 2, START + timedelta(hours=n), n / 3) for n in range(60)])
    call_command("rebuild_twins", "--check", stdout=StringIO())
    mine = model.objects.filter(device=device, metric=metrics[0])
    if way == "changed":
        mine.update(**{"value" if model is ReadingLatest else "total": 1e6})
    elif way == "gone":
        mine.delete()
    else:
        Reading.objects.filter(device=device, metric=metrics[0]).delete()
    out = StringIO()
    with pytest.raises(CommandError):
        call_command("rebuild_twins", "--check", stdout=out)
    assert f"{device.serial}: differs (readings)" in out.getvalue()
    call_command("rebuild_twins", stdout=StringIO())
    call_command("rebuild_twins", "--check", stdout=StringIO())
    assert_right(device)


def test_another_zone_is_found_and_repaired(settings: Any) -> None:
    device, metrics = two_metrics()
    send(device, metrics, [(0, START + timedelta(hours=n), n) for n in range(60)])
    settings.TIME_ZONE = "Asia/Tokyo"
    assert not rebuild_rollups(device=device, repair=False)
    assert not rebuild_rollups(device=device, repair=True)
    assert rebuild_rollups(device=device, repair=False)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    rows,
    st.integers(0, 4 * 24 * 60),
    st.integers(0, 4 * 24 * 60),
    st.sampled_from(["5min", "hour", "day"]),
)
def test_points_are_those_of_the_readings_in_the_span(
    given_rows: list[Row], begin: int, length: int, resolution: str
) -> None:
    device, metrics = two_metrics()
    send(device, metrics, given_rows)
    start = START + timedelta(minutes=begin - 300, seconds=30)
    end = start + timedelta(minutes=length)
    _, found = series(device=device, start=start, end=end, resolution=resolution)
    expected: dict[int, dict[datetime, list[float]]] = defaultdict(lambda: defaultdict(list))
    for reading in Reading.objects.filter(
        device=device, measured_at__gte=start, measured_at__lte=end
    ):
        at = reading.measured_at
        local = at.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0)
        step = {"5min": rollup.five_minutes(at), "hour": rollup.hour(at), "day": local}[resolution]
        expected[reading.metric_id][step].append(reading.value)
    assert {m: [p.at for p in points] for m, points in found.items()} == {
        m: sorted(steps) for m, steps in expected.items()
    }
    for metric, points in found.items():
        for point in points:
            values = expected[metric][point.at]
            assert (point.n, point.low, point.high) == (len(values), min(values), max(values))
            size = max(map(abs, values))
            assert close(point.value, math.fsum(values) / len(values), size)


def test_hours_and_what_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    device, metrics = two_metrics()
    send(device, metrics, [(0, START + timedelta(minutes=n), n) for n in range(180)])
    span = {"device": device, "start": START, "end": START + timedelta(days=1)}
    assert series(**span)[0] == "raw"
    monkeypatch.setattr("devices.selectors.readings.MAX_POINTS", 100)
    assert series(**span)[0] == "hour"
    monkeypatch.setattr("devices.selectors.readings.MAX_POINTS", 150)
    send(device, metrics, [(1, START, 1)])
    resolution, found = series(**span)
    assert resolution == "hour"
    points = found[metrics[0].pk]
    assert [(p.at, p.value, p.low, p.high, p.n) for p in points] == [
        (START + timedelta(hours=h), 60 * h + 29.5, 60 * h, 60 * h + 59, 60) for h in range(3)
    ]


def test_hours_that_are_too_many_for_one_answer_are_days(monkeypatch: pytest.MonkeyPatch) -> None:
    device, metrics = two_metrics()
    send(device, metrics, [(0, START + timedelta(minutes=10 * n), n) for n in range(180)])
    monkeypatch.setattr("devices.selectors.readings.MAX_POINTS", 20)
    resolution, found = series(device=device, start=START, end=START + timedelta(days=2))
    assert (resolution, len(found[metrics[0].pk])) == ("day", 3)


def test_an_hour_that_is_cut_where_readings_are_deleted() -> None:
    """Of what is kept, the five minutes inside of the span; where none is kept, the whole hour."""
    device, metrics = two_metrics()
    send(device, metrics, [(0, START + timedelta(minutes=n), n) for n in range(60)])
    span = {"device": device, "start": START, "end": START + timedelta(minutes=31.5)}

    def point() -> tuple[float, int]:
        (points,) = series(**span, resolution="hour")[1].values()
        return points[0].high, points[0].n

    assert point() == (31, 32)
    policy = retention.settle(
        user=f.user("admin"), reason="r", now=f.NOW, raw_months=2, five_minute_months=2,
        hour_months=2, day_months=2,
    )  # fmt: skip
    run = RetentionRun.objects.create(
        policy=policy, raw_before=START + timedelta(days=1), requested_at=f.NOW
    )
    assert point() == (29, 30)
    run.five_minute_before = run.raw_before
    run.save()
    assert point() == (59, 60)


def test_days_of_several_machines(django_assert_num_queries: Any) -> None:
    device, metrics = two_metrics()
    other, (third, _) = two_metrics()
    send(device, metrics, [(n % 2, START + timedelta(hours=n), n) for n in range(60)])
    f.readings(other, third, [(START, 5.0), (START + f.minutes(1), 7.0)])
    ids = [m.pk for m in metrics] + [third.pk]
    first = START.astimezone(ZONE).date()
    with django_assert_num_queries(1):
        found = daily([device.pk, other.pk], ids, first, first + timedelta(days=1))
    assert set(found) == {
        (device.pk, metrics[0].pk),
        (device.pk, metrics[1].pk),
        (other.pk, ids[2]),
    }
    (only,) = found[other.pk, third.pk]
    assert (only.n, only.mean, only.low, only.high) == (2, 6.0, 5.0, 7.0)
    assert only.deviation == pytest.approx(math.sqrt(2))


def test_the_newest_reading_of_any_moment(django_assert_num_queries: Any) -> None:
    device, metrics = two_metrics()
    send(device, metrics, [(0, START + f.minutes(n), n) for n in (4, 2, 9)])
    send(device, metrics, [(1, START + f.minutes(3), 30)])
    a, b = metrics[0].pk, metrics[1].pk
    with django_assert_num_queries(1):
        assert newest_many([device.pk], START + f.minutes(10)) == {
            (device.pk, a): (START + timedelta(minutes=9, microseconds=0), 9.0),
            (device.pk, b): (START + timedelta(minutes=3), 30.0),
        }
    with django_assert_num_queries(2):
        assert newest_many([device.pk], START + f.minutes(3)) == {
            (device.pk, a): (START + f.minutes(2), 2.0),
            (device.pk, b): (START + f.minutes(3), 30.0),
        }
    assert newest_many([device.pk], START) == {}
