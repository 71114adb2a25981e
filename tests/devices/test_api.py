"""REST of machines: shapes, roles, as of a past moment, refusals."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import override_settings
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from devices.facts import MachineName
from devices.models import Device, DeviceModel, InboxEntry, Reading
from devices.services.evaluation import evaluate_rules
from devices.services.events import append
from devices.services.identify import find_or_inbox
from tests.devices import factories as f

pytestmark = pytest.mark.django_db
API = "/api/v1/"


def client(role: str = "engineer") -> APIClient:
    made = APIClient()
    made.force_authenticate(f.user(role))
    return made


@pytest.fixture
def engineer() -> APIClient:
    return client()


def test_the_fleet_worst_first(engineer: APIClient) -> None:
    good, noise, _ = f.watched_device()
    f.reading(good, noise, 5, timezone.now())
    bad, noise, _ = f.watched_device()
    f.reading(bad, noise, 11, timezone.now())
    silent, _, _ = f.watched_device()
    evaluate_rules(device=bad, now=timezone.now())
    body = engineer.get(f"{API}devices/").json()
    assert body["count"] == 3
    assert [row["id"] for row in body["results"]] == [bad.pk, silent.pk, good.pk]
    row = body["results"][0]
    assert (row["serial"], row["open_alerts"], row["images_today"]) == (bad.serial, 1, 0)
    assert (row["health"]["state"], row["health"]["score"]) == ("act", 0)
    assert row["health"]["coverage"] == {"answered": 1, "total": 1}
    assert row["health"]["checks"][0]["value"] == 11
    assert body["results"][1]["health"]["score"] is None


def test_filters_and_order(engineer: APIClient) -> None:
    one = f.device(name="alpha", location="R1")
    two = f.device(name="beta", location="R2", serial="ZX81")
    for query, expected in (
        ("?location=R1", [one.pk]),
        ("?q=zx8", [two.pk]),
        ("?ordering=-name", [two.pk, one.pk]),
        ("?state=act", []),
        ("?state=unknown&ordering=name", [one.pk, two.pk]),
    ):
        body = engineer.get(f"{API}devices/{query}").json()
        assert [row["id"] for row in body["results"]] == expected


def test_pages(engineer: APIClient) -> None:
    for _ in range(3):
        f.device()
    body = engineer.get(f"{API}devices/?page_size=2&page=2").json()
    assert (body["count"], len(body["results"]), body["next"]) == (3, 1, None)


def test_the_twin(engineer: APIClient) -> None:
    device, noise, _ = f.watched_device()
    f.reading(device, noise, 11, timezone.now())
    append(device=device, kind="config_reported", payload={"config": {"sw": "1"}})
    url = f"{API}devices/{device.pk}/"
    patched = engineer.patch(url, {"desired_config": {"sw": "2"}}, format="json")
    assert patched.status_code == 200
    body = engineer.get(url).json()
    assert body == {**patched.json(), "health": body["health"]}
    assert body["metrics"] == [{"key": "noise", "label": "Noise", "unit": "1"}]
    assert body["desired_config"] == {"sw": "2"}
    assert body["reported_config"] == {"sw": "1"}
    assert [(d["key"], d["desired"], d["reported"]) for d in body["drift"]] == [("sw", "2", "1")]
    assert body["risk"]["rung"] == "none"
    assert body["risk"]["text"].startswith("not enough data")
    assert body["maintenance"] == []
    assert (body["health"]["state"], body["revision"], body["at"]) == ("act", 3, None)
    assert AuditEntry.objects.filter(verb="configured", object_id=str(device.pk)).exists()


def test_as_of(engineer: APIClient) -> None:
    device, noise, _ = f.watched_device()
    now = timezone.now()
    Device.objects.filter(pk=device.pk).update(registered_at=now - f.minutes(100))
    f.reading(device, noise, 11, now - f.minutes(60))
    f.reading(device, noise, 5, now - f.minutes(30))
    for minutes, version in ((50, "1"), (10, "2")):
        append(
            device=device,
            kind="config_reported",
            at=now - f.minutes(minutes),
            payload={"config": {"sw": version}},
        )
    then = (now - f.minutes(45)).isoformat()
    for text in (then, then.replace("+", "%2B")):
        body = engineer.get(f"{API}devices/{device.pk}/?at={text}").json()
        assert (body["health"]["state"], body["reported_config"]) == ("act", {"sw": "1"})
    assert engineer.get(f"{API}devices/?at={then}").json()["results"][0]["health"]["state"] == "act"
    body = engineer.get(f"{API}devices/{device.pk}/").json()
    assert (body["health"]["state"], body["reported_config"]) == ("ok", {"sw": "2"})


@pytest.mark.parametrize(
    ("at", "code"),
    [
        ("yesterday", "invalid_time"),
        ("2026-01-01T00:00:00", "invalid_time"),
        ("0001-01-01T00:00:00%2B09:00", "invalid_time"),
        ("2999-01-01T00:00:00Z", "in_future"),
    ],
)
def test_a_moment_must_be_one_and_over(engineer: APIClient, at: str, code: str) -> None:
    answer = engineer.get(f"{API}devices/{f.device().pk}/?at={at}")
    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_clinicians_see_health_only() -> None:
    device, noise, _ = f.watched_device()
    f.reading(device, noise, 11, timezone.now())
    clinician = client("clinician")
    row = clinician.get(f"{API}devices/").json()["results"][0]
    assert row == clinician.get(f"{API}devices/{device.pk}/").json()
    assert set(row) == {
        "id",
        "name",
        "location",
        "modality",
        "lifecycle",
        "is_synthetic",
        "health",
    }
    assert row["health"]["state"] == "act"
    assert set(row["health"]["checks"][0]) == {"state", "text", "since", "affects_image"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("post", "devices/"),
        ("patch", "devices/{pk}/"),
        ("get", "devices/{pk}/readings/"),
        ("post", "devices/{pk}/readings/"),
        ("get", "devices/{pk}/events/"),
        ("get", "device-inbox/"),
        ("get", "alerts/"),
    ],
)
def test_clinicians_get_no_further_and_strangers_nowhere(method: str, path: str) -> None:
    url = API + path.format(pk=f.device().pk)
    assert getattr(client("clinician"), method)(url, [], format="json").status_code == 403
    assert getattr(APIClient(), method)(url, [], format="json").status_code == 401


@pytest.mark.parametrize("path", ["devices/{}/", "devices/{}/readings/", "alerts/{}/"])
def test_what_is_not_there(engineer: APIClient, path: str) -> None:
    for number in (999_999_999, 10**17, 10**30):
        answer = engineer.get(API + path.format(number))
        assert answer.status_code == 404


def test_register(engineer: APIClient) -> None:
    model = f.model(name="X-1")
    for number, given in enumerate((model.pk, "X-1", "Acme X-1")):
        body = {"serial": f"N-{number}", "name": "XR", "model": given, "location": "R1"}
        answer = engineer.post(f"{API}devices/", body, format="json")
        assert answer.status_code == 201, answer.json()
        assert answer.json()["serial"] == f"N-{number}"
    again = engineer.post(f"{API}devices/", body, format="json")
    assert (again.status_code, again.json()["code"]) == (409, "serial_taken")


def test_register_a_make_that_nobody_described(engineer: APIClient) -> None:
    make = {"manufacturer": "New", "name": "N-1", "modality": "CR"}
    body = {"serial": "N-1", "name": "XR", "model": make}
    answer = engineer.post(f"{API}devices/", body, format="json")
    assert answer.status_code == 201
    assert "kvp" in [m["key"] for m in answer.json()["metrics"]]
    other = {**body, "model": {**make, "name": "N-2"}}
    assert engineer.post(f"{API}devices/", other, format="json").status_code == 409
    assert DeviceModel.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"model": "Z"}, "unknown_model"),
        ({"model": None}, "invalid"),
        ({"model": True}, "invalid"),
        ({"model": {"name": "Z"}}, "invalid"),
        ({"serial": ""}, "invalid"),
        ({"serial": "x" * 65}, "invalid"),
        ({"name": ""}, "invalid"),
    ],
)
def test_register_badly(engineer: APIClient, changes: dict[str, Any], code: str) -> None:
    body = {"serial": "N-1", "name": "XR", "model": f.model().pk, **changes}
    answer = engineer.post(f"{API}devices/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert not Device.objects.exists()


def test_bad_configuration(engineer: APIClient) -> None:
    url = f"{API}devices/{f.device().pk}/"
    for body, code in (({"desired_config": {"a": []}}, "bad_config"), ({}, "invalid")):
        answer = engineer.patch(url, body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (400, code)


def item(**changes: Any) -> dict[str, Any]:
    given = {"metric": "noise", "value": 1.5, "unit": "1", "measured_at": "2026-03-01T12:00:00Z"}
    return {**given, **changes}


def test_send_readings(engineer: APIClient) -> None:
    device, _, _ = f.watched_device()
    url = f"{API}devices/{device.pk}/readings/"
    answer = engineer.post(url, [item(), item(), item(metric="x"), "junk"], format="json")
    assert answer.status_code == 200
    body = answer.json()
    assert (body["accepted"], body["duplicates"]) == (1, 1)
    assert [(r["index"], r["code"]) for r in body["rejected"]] == [
        (2, "unknown_metric"),
        (3, "unknown_metric"),
    ]
    assert Reading.objects.get().source == "rest"
    assert engineer.post(url, item(), format="json").json()["code"] == "list_expected"
    nan = engineer.post(url, '[{"value": NaN}]', content_type="application/json")
    assert nan.json()["rejected"][0]["code"] == "unknown_metric"


def test_too_many_readings(engineer: APIClient) -> None:
    device, _, _ = f.watched_device()
    url = f"{API}devices/{device.pk}/readings/"
    answer = engineer.post(url, [item()] * 10_001, format="json")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_readings")
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
        answer = engineer.post(url, [item()], format="json")
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")
    assert not Reading.objects.exists()


def test_read_readings(engineer: APIClient) -> None:
    device, noise, _ = f.watched_device()
    for minute, value in ((0, 1), (1, 3), (7, 5), (26 * 60, 8)):
        f.reading(device, noise, value, f.NOW + f.minutes(minute))
    url = f"{API}devices/{device.pk}/readings/?metric=noise&from=2026-03-01T00:00:00Z"
    raw = engineer.get(f"{url}&to=2026-03-02T00:00:00Z").json()
    assert (raw["resolution"], raw["count"]) == ("raw", 3)
    assert raw["results"][1] == {
        "metric": "noise",
        "unit": "1",
        "measured_at": "2026-03-01T12:01:00Z",
        "value": 3,
        "min": 3,
        "max": 3,
        "n": 1,
    }
    steps = engineer.get(f"{url}&to=2026-03-10T00:00:00Z").json()
    assert steps["resolution"] == "5min"
    assert [
        (p["measured_at"], p["value"], p["min"], p["max"], p["n"]) for p in steps["results"]
    ] == [
        ("2026-03-01T12:00:00Z", 2, 1, 3, 2),
        ("2026-03-01T12:05:00Z", 5, 5, 5, 1),
        ("2026-03-02T14:00:00Z", 8, 8, 8, 1),
    ]
    days = engineer.get(f"{url}&to=2026-06-01T00:00:00Z").json()
    assert days["resolution"] == "day"
    assert [(p["value"], p["n"]) for p in days["results"]] == [(3, 3), (8, 1)]
    asked = engineer.get(f"{url}&to=2026-03-02T00:00:00Z&resolution=day").json()
    assert [p["n"] for p in asked["results"]] == [3]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("metric=nothing", 404, "unknown_metric"),
        ("resolution=year", 400, "unknown_resolution"),
        ("from=2026-03-02T00:00:00Z&to=2026-03-01T00:00:00Z", 400, "bad_span"),
        ("from=soon", 400, "invalid_time"),
    ],
)
def test_read_readings_badly(engineer: APIClient, query: str, status: int, code: str) -> None:
    device, _, _ = f.watched_device()
    answer = engineer.get(f"{API}devices/{device.pk}/readings/?{query}")
    assert (answer.status_code, answer.json()["code"]) == (status, code)


def test_too_much_for_one_answer(engineer: APIClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("devices.selectors.readings.MAX_POINTS", 2)
    device, noise, _ = f.watched_device()
    for minute in range(3):
        f.reading(device, noise, 1, f.NOW + f.minutes(minute))
    url = f"{API}devices/{device.pk}/readings/?from=2026-03-01T00:00:00Z&to=2026-03-02T00:00:00Z"
    assert engineer.get(f"{url}&resolution=raw").json()["code"] == "too_many_points"
    unasked = engineer.get(url).json()  # longer steps, so that it fits
    assert (unasked["resolution"], unasked["count"]) == ("hour", 1)


def test_the_journal(engineer: APIClient) -> None:
    device = f.device(desired_config={"sw": "1"})
    body = engineer.get(f"{API}devices/{device.pk}/events/").json()
    assert [(e["revision"], e["kind"]) for e in body["results"]] == [
        (2, "config_desired"),
        (1, "registered"),
    ]
    assert body["results"][0]["payload"] == {"config": {"sw": "1"}}


def test_alerts(engineer: APIClient) -> None:
    device, noise, _ = f.watched_device()
    f.reading(device, noise, 11, timezone.now())
    evaluate_rules(device=device, now=timezone.now())
    body = engineer.get(f"{API}alerts/?state=open&severity=act&device={device.pk}").json()
    assert (body["count"], body["results"][0]["device_name"]) == (1, device.name)
    assert engineer.get(f"{API}alerts/?state=resolved").json()["count"] == 0
    assert engineer.get(f"{API}alerts/?device=x").status_code == 400
    for bad in ("state=bogus", "severity=bogus", "ordering=bogus"):
        answer = engineer.get(f"{API}alerts/?{bad}")
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid"), bad
    assert engineer.get(f"{API}alerts/?ordering=-since").json()["count"] == 1
    url = f"{API}alerts/{body['results'][0]['id']}/"
    colleague = f.user("admin")
    until = (timezone.now() + f.minutes(60)).isoformat()
    steps: list[tuple[str, dict[str, Any]]] = [
        ("acknowledge", {}),
        ("snooze", {"until": until}),
        ("assign", {"assignee": colleague.username}),
        ("comment", {"text": "looked"}),
        ("resolve", {"reason": "repaired", "text": "fan"}),
    ]
    for step, given in steps:
        answer = engineer.post(f"{url}{step}/", given, format="json")
        assert answer.status_code == 200, answer.json()
    body = engineer.get(url).json()
    assert (body["state"], body["resolve_reason"]) == ("resolved", "repaired")
    assert body["assigned_to"] == colleague.username
    assert [n["verb"] for n in body["notes"]] == [
        "opened",
        "acknowledged",
        "snoozed",
        "assigned",
        "commented",
        "resolved",
    ]
    again = engineer.post(f"{url}acknowledge/")
    assert (again.status_code, again.json()["code"]) == (409, "bad_transition")
    bad: list[tuple[str, dict[str, Any]]] = [
        ("resolve", {}),
        ("snooze", {"until": "soon"}),
        ("assign", {"assignee": "nobody known"}),
        ("comment", {"text": ""}),
    ]
    for step, given in bad:
        assert engineer.post(f"{url}{step}/", given, format="json").status_code == 400


def waiting(serial: str = "ZZ-1") -> InboxEntry:
    find_or_inbox(name=MachineName(serial, "ST", "Acme", "X"), seen_at=f.NOW)
    return InboxEntry.objects.get(serial=serial)


def test_the_inbox(engineer: APIClient) -> None:
    model = f.model()
    one, two, three = waiting("A"), waiting("B"), waiting("C")
    body = engineer.get(f"{API}device-inbox/").json()
    assert {e["serial"] for e in body["results"]} == {"A", "B", "C"}
    assert body["results"][0]["image_count"] == 1
    url = API + "device-inbox/{}/{}/"
    made = engineer.post(
        url.format(one.pk, "register"), {"name": "XR", "model": model.pk}, format="json"
    )
    assert (made.status_code, made.json()["state"]) == (201, "registered")
    aliased = engineer.post(
        url.format(two.pk, "alias"), {"device": made.json()["device"]}, format="json"
    )
    assert (aliased.status_code, aliased.json()["state"]) == (200, "aliased")
    dismissed = engineer.post(url.format(three.pk, "dismiss"))
    assert dismissed.json()["state"] == "dismissed"
    assert engineer.get(f"{API}device-inbox/").json()["count"] == 0
    assert engineer.get(f"{API}device-inbox/?state=all").json()["count"] == 3
    assert engineer.get(f"{API}device-inbox/{one.pk}/").json()["device"] == made.json()["device"]
    again = engineer.post(url.format(three.pk, "dismiss"))
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")
    missing = engineer.post(url.format(three.pk, "alias"), {"device": 10**9}, format="json")
    assert missing.status_code == 404


@pytest.mark.parametrize("count", [1, 9])
def test_queries_do_not_grow_with_the_fleet(
    count: int, engineer: APIClient, django_assert_num_queries: Any
) -> None:
    model = f.model()
    noise = f.metric(model)
    f.rule(noise)
    for number in range(count):
        device = f.device(model, location=f"R{number}")
        f.reading(device, noise, 11, timezone.now())
        evaluate_rules(device=device, now=timezone.now())
    with django_assert_num_queries(15):
        engineer.get(f"{API}devices/")
    with django_assert_num_queries(15):
        engineer.get(f"{API}devices/{device.pk}/")
    with django_assert_num_queries(2):
        engineer.get(f"{API}alerts/")
