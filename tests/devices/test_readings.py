"""Readings: exact counts, each refusal with its reason, and what an image tells of its machine."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from django.utils import timezone as django_timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from devices.facts import ImageFacts
from devices.models import Device, Reading
from devices.services import readings as service
from devices.services import wake
from devices.services.from_image import note_image
from devices.services.readings import ReadingIn, record_readings
from tests.devices import factories as f
from tests.devices.test_events import in_threads
from twinhealth.errors import TooLargeError

pytestmark = pytest.mark.django_db
NOW = f.NOW


@pytest.fixture
def device() -> Device:
    made = f.model()
    f.metric(made, "noise")
    f.metric(made, "kvp", unit="kV", plausible_low=20, plausible_high=200)
    f.metric(made, "pixel_noise")
    return f.device(made)


def record(device: Device, *items: ReadingIn) -> service.RecordResult:
    return record_readings(device=device, items=items, source="rest")


def test_counts_are_exact(device: Device) -> None:
    first = ReadingIn("noise", 1, "1", NOW)
    second = ReadingIn("noise", 2.5, "1", NOW + f.minutes(1))
    result = record(device, first, second, first)
    assert (result.accepted, result.duplicates, result.rejected) == (2, 1, [])
    again = record(device, second, ReadingIn("noise", 3, "1", NOW + f.minutes(2)))
    assert (again.accepted, again.duplicates) == (1, 1)
    values = Reading.objects.order_by("measured_at").values_list("value", flat=True)
    assert list(values) == [1.0, 2.5, 3.0]


def test_units_are_converted(device: Device) -> None:
    record(device, ReadingIn("kvp", 70_000, "V", NOW))
    assert Reading.objects.get().value == pytest.approx(70)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"metric": "nothing"}, "unknown_metric"),
        ({"metric": None}, "unknown_metric"),
        ({"metric": ["noise"]}, "unknown_metric"),
        ({"value": math.nan}, "not_a_number"),
        ({"value": math.inf}, "not_a_number"),
        ({"value": "5"}, "not_a_number"),
        ({"value": True}, "not_a_number"),
        ({"value": None}, "not_a_number"),
        ({"value": 10**400}, "not_a_number"),
        ({"unit": "volts"}, "unknown_unit"),
        ({"unit": None}, "unknown_unit"),
        ({"unit": "mA"}, "unit_mismatch"),
        ({"value": 300}, "implausible"),
        ({"value": 5}, "implausible"),
        ({"measured_at": datetime(2026, 3, 1)}, "invalid_time"),  # noqa: DTZ001 - naive on purpose
        ({"measured_at": "2026-03-01T12:00:00"}, "invalid_time"),
        ({"measured_at": "2026-13-01T12:00:00Z"}, "invalid_time"),
        ({"measured_at": "yesterday"}, "invalid_time"),
        ({"measured_at": 5}, "invalid_time"),
        ({"measured_at": datetime(1999, 12, 31, tzinfo=UTC)}, "too_old"),
        ({"measured_at": datetime.min.replace(tzinfo=timezone(timedelta(hours=9)))}, "too_old"),
        ({"measured_at": datetime(2999, 1, 1, tzinfo=UTC)}, "in_future"),
    ],
)
def test_one_bad_item_is_refused_with_its_reason(
    device: Device, changes: dict[str, Any], code: str
) -> None:
    good = {"metric": "kvp", "value": 70, "unit": "kV", "measured_at": NOW}
    result = record(device, ReadingIn(**good), ReadingIn(**{**good, **changes}))
    assert result.accepted == 1
    assert [(r["index"], r["code"]) for r in result.rejected] == [(1, code)]
    assert result.rejected[0]["message"]


def test_a_clock_a_little_ahead_is_allowed(device: Device) -> None:
    soon = django_timezone.now() + f.minutes(9)
    assert record(device, ReadingIn("noise", 1, "1", soon)).accepted == 1
    late = django_timezone.now() + f.minutes(12)
    assert record(device, ReadingIn("noise", 1, "1", late)).rejected[0]["code"] == "in_future"


def test_from_json_takes_anything() -> None:
    assert ReadingIn.from_json(["x"]) == ReadingIn(None, None, None, None)
    assert ReadingIn.from_json({"metric": "a", "extra": 1}) == ReadingIn("a", None, None, None)


def test_too_many_stores_nothing(device: Device) -> None:
    items = [ReadingIn("noise", 1, "1", NOW)] * 10_001
    with pytest.raises(TooLargeError) as error:
        record_readings(device=device, items=items, source="rest")
    assert error.value.code == "too_many_readings"
    assert not Reading.objects.exists()


def test_ten_thousand_in_a_few_queries(device: Device, django_assert_max_num_queries: Any) -> None:
    items = [ReadingIn("noise", i, "1", NOW + timedelta(seconds=i)) for i in range(10_000)]
    before = [ReadingIn("noise", 0, "1", NOW)]
    record_readings(device=device, items=before, source="rest")
    with django_assert_max_num_queries(120):  # SQLite takes 999 variables a statement
        result = record_readings(device=device, items=items, source="rest")
    assert (result.accepted, result.duplicates) == (9_999, 1)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 8), max_size=20))
def test_accepted_and_duplicates_add_up(device: Device, steps: list[int]) -> None:
    Reading.objects.all().delete()
    total = 0
    for part in (steps[::2], steps[1::2]):
        items = [ReadingIn("noise", 1, "1", NOW + f.minutes(s)) for s in part]
        result = record_readings(device=device, items=items, source="rest")
        assert result.accepted + result.duplicates == len(items)
        total += result.accepted
    assert total == len(set(steps)) == Reading.objects.count()


@pytest.mark.django_db(transaction=True)
def test_racing_senders_count_each_reading_once() -> None:
    made = f.model()
    f.metric(made, "noise")
    device, other = f.device(made), f.device(made)
    items = [ReadingIn("noise", 1, "1", NOW + f.minutes(i)) for i in range(50)]
    results: list[service.RecordResult] = []

    def work(number: int) -> None:
        target = other if number == 0 else device
        result = record_readings(device=target, items=items, source="rest")
        results.append(result)

    assert in_threads(6, work) == []
    assert sorted(r.accepted for r in results) == [0, 0, 0, 0, 50, 50]
    assert all(r.accepted + r.duplicates == 50 for r in results)


@pytest.mark.django_db(transaction=True)
def test_the_worker_is_told_after_the_commit(
    device: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(
        service.judge_waiting_task, "delay", lambda: sent.append(Reading.objects.count())
    )
    reading = ReadingIn("noise", 1, "1", NOW)
    record(device, reading)
    record(device, reading)
    assert sent == [1]
    assert wake.take() == ([device.pk], False)


def facts(**changes: Any) -> ImageFacts:
    given: dict[str, Any] = {
        "acquired_at": NOW,
        "readings": {
            "kvp": (70.0, "kV"),
            "pixel_noise": (3.0, "1"),
            "never_heard_of": (1.0, "1"),
        },
        "config": {"software_versions": "1"},
    }
    return ImageFacts(**{**given, **changes})


def test_an_image_gives_readings(device: Device) -> None:
    note_image(device=device, facts=facts(), source_ref="image 1")
    found = {r.metric.key: (r.value, r.source) for r in Reading.objects.select_related("metric")}
    assert found == {"kvp": (70.0, "dicom"), "pixel_noise": (3.0, "pixels")}


def test_an_implausible_header_value_is_left_out(device: Device) -> None:
    note_image(device=device, facts=facts(readings={"kvp": (7e6, "kV")}), source_ref="i")
    assert not Reading.objects.exists()


def test_configuration_is_told_only_when_it_changes(device: Device) -> None:
    for number, version in enumerate(["1", "1", "2", "2"]):
        note_image(
            device=device,
            facts=facts(acquired_at=NOW + f.minutes(number), config={"software_versions": version}),
            source_ref=f"image {number}",
        )
    events = device.events.filter(kind="config_reported")
    assert [e.payload["config"]["software_versions"] for e in events] == ["1", "2"]
    assert events[1].payload["previous"] == {"software_versions": "1"}
    assert events[1].payload["source"] == "image 2"


def test_a_late_film_tells_of_its_own_time(device: Device) -> None:
    for minute, version in ((10, "2"), (0, "1"), (1, "1"), (12, "2")):
        note_image(
            device=device,
            facts=facts(acquired_at=NOW + f.minutes(minute), config={"software_versions": version}),
            source_ref=str(minute),
        )
    assert device.events.filter(kind="config_reported").count() == 2
    device.refresh_from_db()
    assert device.twin.state["reported"]["software_versions"]["value"] == "2"


def test_an_image_without_configuration_is_no_event(device: Device) -> None:
    note_image(device=device, facts=facts(config={}, readings={}), source_ref="i")
    assert device.events.count() == 1
