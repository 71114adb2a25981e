"""The REST door of readings with whole requests: what is kept, what is refused, whose clock is off."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client
from django.utils import timezone
from django.utils.http import http_date

from devices import clock
from devices.models import Device, Reading, TwinState
from devices.selectors.twin import journal
from devices.services import keys
from devices.services.events import rebuild
from scripts.servers import postgres_programs
from tests.devices import factories as f
from tests.processes import Hospital, OwnPostgres, wait_for

NOW = f.NOW
MAKE_KEY = """
from tests.devices import factories as f
from devices.services import keys
print(keys.make(device=f.watched_device()[0], name="gateway", actor=f.user())[1])
"""


def item(minute: float = 0, **changes: Any) -> dict[str, Any]:
    at = (NOW + f.minutes(minute)).isoformat()
    return {"metric": "kvp", "value": 70, "unit": "kV", "measured_at": at, **changes}


@pytest.fixture
def device(db: None) -> Device:
    made = f.model()
    f.metric(made, "kvp", unit="kV", plausible_low=20, plausible_high=200)
    f.metric(made, "temperature", unit="Cel")
    return f.device(made)


@pytest.fixture
def text(device: Device) -> str:
    return keys.make(device=device, name="gateway", actor=f.user())[1]


def send(device: Device, text: str, items: Any, **headers: str) -> Any:
    body = items if isinstance(items, str) else json.dumps(items)
    return Client().post(
        f"/api/v1/devices/{device.pk}/readings/",
        body,
        content_type="application/json",
        headers={"Authorization": f"Device {text}", **headers},
    )


def test_good_items_are_kept_beside_bad_ones(device: Device, text: str) -> None:
    items = [
        item(0),
        item(1, value=float("nan")),
        item(2, value=float("inf")),
        item(3, value=-float("inf")),
        item(4, unit="mA"),
        item(5, unit="volts"),
        item(6, metric="nothing"),
        item(7, measured_at="1970-01-01T00:00:00Z"),
        item(8, measured_at="2100-01-01T00:00:00Z"),
        item(0),
        item(9, value="70"),
        item(10, value=1e300, unit="V"),
        item(11, value=70_500, unit="V"),
        [],
    ]
    answer = send(device, text, items)
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["duplicates"]) == (2, 1)
    assert [(r["index"], r["code"]) for r in body["rejected"]] == [
        (1, "not_a_number"),
        (2, "not_a_number"),
        (3, "not_a_number"),
        (4, "unit_mismatch"),
        (5, "unknown_unit"),
        (6, "unknown_metric"),
        (7, "too_old"),
        (8, "in_future"),
        (10, "not_a_number"),
        (11, "implausible"),
        (13, "unknown_metric"),
    ]
    values = list(Reading.objects.order_by("measured_at").values_list("value", flat=True))
    assert values == pytest.approx([70, 70.5])


def test_the_same_call_again_changes_nothing(device: Device, text: str) -> None:
    items = [item(minute) for minute in range(20)]
    assert send(device, text, items).json()["accepted"] == 20
    rows = list(Reading.objects.order_by("pk").values())
    for _ in range(3):
        body = send(device, text, items).json()
        assert (body["accepted"], body["duplicates"], body["rejected"]) == (0, 20, [])
    other = [item(minute, value=71) for minute in range(20)]
    assert send(device, text, other).json()["duplicates"] == 20  # the first value stays
    assert list(Reading.objects.order_by("pk").values()) == rows


def test_the_same_moment_in_another_zone_is_the_same_reading(device: Device, text: str) -> None:
    items = [
        item(measured_at="2026-03-01T12:00:00Z"),
        item(measured_at="2026-03-01T14:00:00+02:00"),
        item(measured_at="2026-03-01T07:00:00-05:00", value=70_000, unit="V"),
    ]
    body = send(device, text, items).json()
    assert (body["accepted"], body["duplicates"]) == (1, 2)


def test_late_and_out_of_order_is_welcome_and_both_times_are_kept(
    device: Device, text: str
) -> None:
    before = timezone.now()
    items = [item(minute) for minute in (5, 1, 3, -500_000, 2)]
    assert send(device, text, items).json()["accepted"] == 5
    assert send(device, text, [item(4), item(0)]).json()["accepted"] == 2
    for reading in Reading.objects.all():
        assert reading.measured_at < NOW + f.minutes(6)
        assert before <= reading.received_at <= timezone.now()


@pytest.mark.parametrize(
    ("metric", "value", "unit", "stored"),
    [
        ("temperature", 98.6, "[degF]", 37.0),
        ("temperature", 310.15, "K", 37.0),
        ("temperature", 37, "Cel", 37.0),
        ("kvp", 80_000, "V", 80.0),
        ("kvp", 8e7, "mV", 80.0),
    ],
)
def test_units_are_turned_at_the_door(
    device: Device, text: str, metric: str, value: float, unit: str, stored: float
) -> None:
    send(device, text, [item(metric=metric, value=value, unit=unit)])
    assert Reading.objects.get().value == pytest.approx(stored, rel=1e-12)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ("{}", 400, "list_expected"),
        ('"text"', 400, "list_expected"),
        ("", 400, "list_expected"),
        ("[", 400, "parse_error"),
        ("[" * 100_000, 400, "parse_error"),
        ('[{"metric": "\\ud800"}]', 400, "parse_error"),
        ("\xff", 400, "parse_error"),
    ],
)
def test_what_is_no_list_of_readings(
    device: Device, text: str, body: str, status: int, code: str
) -> None:
    answer = send(device, text, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_of_a_name_that_comes_twice_the_last_one_counts(device: Device, text: str) -> None:
    body = json.dumps([item(0), item(1)]).replace('"value": 70', '"value": NaN, "value": 71', 1)
    assert send(device, text, body).json()["accepted"] == 2
    assert sorted(Reading.objects.values_list("value", flat=True)) == [70, 71]


def test_years_at_the_ends_of_time(device: Device, text: str) -> None:
    moments = ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "10000-01-01T00:00:00Z"]
    said = send(device, text, [item(measured_at=at) for at in moments]).json()
    assert [r["code"] for r in said["rejected"]] == ["too_old", "too_old", "invalid_time"]


def test_an_empty_list_is_fine(device: Device, text: str) -> None:
    assert send(device, text, []).json() == {"accepted": 0, "duplicates": 0, "rejected": []}


def test_one_too_many_stores_nothing(device: Device, text: str) -> None:
    items = [item(minute / 100) for minute in range(10_001)]
    answer = send(device, text, items)
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_readings")
    assert not Reading.objects.exists()
    assert send(device, text, items[:-1]).json()["accepted"] == 10_000


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_body_of_100_megabytes_is_one_413(tmp_path: Path) -> None:
    """Over the network: the sender gets the answer, not a broken connection."""
    hospital = Hospital(tmp_path)
    try:
        hospital.make_tables()
        text = hospital.manage("shell", "-c", MAKE_KEY).split()[-1]
        hospital.web()
        url = f"http://127.0.0.1:{hospital.port}/api/v1/devices/1/readings/"
        before = _peak_mib(hospital)
        body = b"[" + b" " * (100 * 1024**2) + b"]"
        headers = {"Authorization": f"Device {text}", "Content-Type": "application/json"}
        answer = requests.post(url, body, headers=headers, timeout=60)
        assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
        parts = (body[start : start + 2**20] for start in range(0, len(body), 2**20))
        # in pieces, without saying how long it is: nothing of it is taken for the readings
        answer = requests.post(url, parts, headers=headers, timeout=60)
        assert 400 <= answer.status_code < 500
        assert hospital.query("SELECT count(*) FROM devices_reading") == [(0,)]
        assert _peak_mib(hospital) - before < 45  # of 12 MiB that it may read, not of 100
    finally:
        hospital.end()


def _peak_mib(hospital: Hospital) -> float:
    """Most memory that a process of the web server has had."""
    web = hospital.running[-1].pid
    children = Path(f"/proc/{web}/task/{web}/children").read_text().split()
    texts = [Path(f"/proc/{pid}/status").read_text() for pid in children]
    return max(int(text.split("VmHWM:")[1].split()[0]) / 1024 for text in texts)


@pytest.mark.processes
@pytest.mark.skipif(
    not os.environ.get("TEST_DATABASE_URL") or postgres_programs() is None,
    reason="PostgreSQL isn't installed here",
)
def test_the_database_goes_away_in_mid_call(tmp_path: Path) -> None:
    """Who gets no 200 sends again; in the end all is there once and counted once."""
    postgres = OwnPostgres()
    hospital = Hospital(tmp_path, database_url=postgres.url)
    try:
        postgres.start()
        hospital.make_tables()
        text = hospital.manage("shell", "-c", MAKE_KEY).split()[-1]
        hospital.web()
        url = f"http://127.0.0.1:{hospital.port}/api/v1/devices/1/readings/"
        headers = {"Authorization": f"Device {text}"}
        taken: list[bool] = []

        def send_all() -> None:
            for batch in range(30):
                items = [
                    {**item(batch * 100 + n), "metric": "noise", "value": 1, "unit": "1"}
                    for n in range(100)
                ]
                again, until = False, time.monotonic() + 120
                while time.monotonic() < until:
                    with contextlib.suppress(requests.RequestException):
                        answer = requests.post(url, json=items, headers=headers, timeout=60)
                        if answer.status_code == 200:
                            said = answer.json()
                            assert said["accepted"] + said["duplicates"] == 100
                            taken.append(again)
                            break
                    again = True
                    time.sleep(0.05)  # as long as the database takes to come back

        sender = threading.Thread(target=send_all)
        sender.start()
        for number in (3, 12, 21):
            wait_for(lambda number=number: len(taken) >= number, what="calls answered")
            postgres.stop()
            postgres.start()
        sender.join()
        assert len(taken) == 30
        found = hospital.query(
            "SELECT count(*), count(DISTINCT (metric_id, measured_at)) FROM devices_reading"
        )
        assert found == [(3_000, 3_000)]
    finally:
        hospital.end()
        postgres.remove()


# --- the machine's clock


def notes(device: Device) -> list[str]:
    return [e.payload["state"] for e in reversed(journal(device)) if e.kind == "clock"]


def now_item(**off: float) -> dict[str, Any]:
    return item(measured_at=(timezone.now() + timedelta(**off)).isoformat())


def age(device: Device) -> None:
    """Let the last note be two hours old, for the fold and the stored state alike."""
    twin = TwinState.objects.get(device=device)
    since = timezone.now() - timedelta(hours=2)
    twin.state["clock"]["since"] = since.isoformat()
    twin.save()


def test_a_clock_ahead_is_noted_once(device: Device, text: str) -> None:
    for number in range(5):
        body = send(device, text, [now_item(minutes=7, seconds=number)]).json()
        assert body["accepted"] == 1
    assert notes(device) == ["ahead"]
    send(device, text, [now_item(days=400)])  # refused, and no second note
    assert notes(device) == ["ahead"]
    assert rebuild(device=device, repair=False)
    browser = Client()
    browser.force_login(f.user())
    page = browser.get(f"/devices/{device.pk}/").content.decode()
    assert "its clock: 7 minutes ahead" in page


def test_refused_readings_tell_of_the_clock_too(device: Device, text: str) -> None:
    body = send(device, text, [now_item(hours=3)] * 3).json()
    assert [r["code"] for r in body["rejected"]] == ["in_future"] * 3
    assert notes(device) == ["ahead"]


def test_right_again_after_an_hour_at_the_earliest(device: Device, text: str) -> None:
    send(device, text, [now_item(minutes=7)])
    send(device, text, [now_item()])
    assert notes(device) == ["ahead"]
    age(device)
    send(device, text, [now_item(hours=-5)])  # a late reading proves nothing
    assert notes(device) == ["ahead"]
    send(device, text, [now_item()])
    assert notes(device) == ["ahead", "right"]
    assert "its clock" not in str(journal(device))


def test_1970_is_a_clock_without_battery(device: Device, text: str) -> None:
    send(device, text, [item(measured_at="1970-01-01T00:03:00Z")] * 4)
    assert notes(device) == ["behind"]


def test_late_readings_are_no_clock_behind(device: Device, text: str) -> None:
    send(device, text, [now_item(days=-20)])
    assert notes(device) == []


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, []), (4, []), (-4, []), (7, ["ahead"]), (-7, ["behind"])]
)
def test_the_date_header_is_the_machines_own_clock(
    device: Device, text: str, minutes: int, expected: list[str]
) -> None:
    said = http_date((timezone.now() + f.minutes(minutes)).timestamp())
    send(device, text, [now_item(days=-1)], Date=said)
    assert notes(device) == expected


@pytest.mark.parametrize("said", ["", "yesterday", "Mon, 99 Foo 2026 00:00:00 GMT", "-1"])
def test_a_date_header_that_is_none(device: Device, text: str, said: str) -> None:
    assert send(device, text, [now_item()], Date=said).status_code == 200
    assert notes(device) == []


def test_words_of_clocks() -> None:
    assert clock.words("ahead", 420) == "7 minutes ahead"
    assert clock.words("behind", 60) == "1 minute behind"
    assert clock.words("behind", 3 * 3600) == "3 hours behind"
    assert clock.words("ahead", 56 * 365 * 86_400) == "20,440 days ahead"
    assert clock.words("right", 0) == "right again"


def test_the_rule_of_clocks() -> None:
    assert clock.change(None, clock.Seen(), NOW) is None
    assert clock.change(None, clock.Seen(newest=NOW + clock.LIMIT), NOW) is None
    over = NOW + clock.LIMIT + timedelta(seconds=1)
    assert clock.change(None, clock.Seen(newest=over), NOW) == {"state": "ahead", "seconds": 301}
    noted = {"state": "ahead", "seconds": 301, "since": NOW.isoformat()}
    later = NOW + clock.STEADY
    assert clock.change(noted, clock.Seen(newest=later), NOW + f.minutes(59)) is None
    right = clock.change(noted, clock.Seen(newest=later), later)
    assert right == {"state": "right", "seconds": 0}
    epoch = clock.Seen(newest=datetime(1970, 1, 1, tzinfo=UTC))
    assert (clock.change(noted, epoch, later) or {})["state"] == "behind"
