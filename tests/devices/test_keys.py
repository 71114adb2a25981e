"""A machine's own keys: shown once, bound to one machine and one door, changed without a gap."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry
from devices.models import Device, DeviceKey, Reading
from devices.services import keys
from tests.devices import factories as f
from tests.house.walking import doors
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db
API = "/api/v1/"
ITEM = {"metric": "noise", "value": 1.5, "unit": "1", "measured_at": "2026-03-01T12:00:00Z"}


@pytest.fixture(autouse=True)
def _no_tries_yet() -> Iterator[None]:
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def device() -> Device:
    return f.watched_device()[0]


def key_of(device: Device, **fields: Any) -> tuple[DeviceKey, str]:
    return keys.make(device=device, name="gateway", actor=f.user(), **fields)


def send(device: Device, text: str, *, word: str = "Device", **headers: str) -> Any:
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"{word} {text}", **headers)
    return client.post(f"{API}devices/{device.pk}/readings/", [ITEM], format="json")


def rest(role: str = "engineer") -> APIClient:
    made = APIClient()
    made.force_authenticate(f.user(role))
    return made


def test_a_key_sends_readings_of_its_machine(device: Device) -> None:
    key, text = key_of(device)
    answer = send(device, text)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    key.refresh_from_db()
    assert key.last_used_at is not None
    assert timezone.now() - key.last_used_at < timedelta(minutes=1)
    used = key.last_used_at
    assert send(device, text).json()["duplicates"] == 1
    key.refresh_from_db()
    assert key.last_used_at == used  # to the minute: not a write for each call


def test_the_text_is_kept_nowhere(device: Device, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        key, text = key_of(device)
        send(device, text)
        keys.revoke(key=key, actor=f.user())
        send(device, text)
    secret = text.split("_", 2)[2]
    assert text.startswith(f"thd_{key.prefix}_")
    assert len(secret) == 43
    key.refresh_from_db()
    assert secret not in str(vars(key))
    assert secret not in caplog.text
    assert key.prefix in caplog.text
    assert secret not in str(list(AuditEntry.objects.values()))


def test_another_machines_key(device: Device) -> None:
    _, text = key_of(f.device(device.model))
    answer = send(device, text)
    assert (answer.status_code, answer.json()["code"]) == (403, "wrong_device")
    assert not Reading.objects.exists()
    nowhere = APIClient()
    nowhere.credentials(HTTP_AUTHORIZATION=f"Device {text}")
    answer = nowhere.post(f"{API}devices/999999/readings/", [ITEM], format="json")
    assert answer.json()["code"] == "wrong_device"  # nor does it tell which machines there are


def test_keys_that_open_nothing(device: Device) -> None:
    key, text = key_of(device)
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    for given in ("", "x", wrong, text.upper(), text + "x", "thd_\xff", "thd__", "a b c"):
        answer = send(device, given)
        assert (answer.status_code, answer.json()["code"]) == (401, "key_unknown"), given
        assert "Authenticate" in str(answer.headers)
    DeviceKey.objects.update(expires_at=timezone.now())
    assert send(device, text).json()["code"] == "key_expired"
    assert send(device, wrong).json()["code"] == "key_unknown"
    keys.revoke(key=key, actor=f.user())
    answer = send(device, text)
    assert (answer.status_code, answer.json()["code"]) == (401, "key_revoked")
    assert send(device, text, word="Token").status_code == 401
    assert not Reading.objects.exists()


def test_a_key_opens_no_other_address(device: Device) -> None:
    _, text = key_of(device)
    client = Client(headers={"Authorization": f"Device {text}"}, raise_request_exception=False)
    asked = 0
    for door in doors():
        if not door.is_api or door.path.startswith("/api/v1/auth/token/"):
            continue
        path = door.path.replace("700001", str(device.pk))
        if door.method == "post" and path == f"{API}devices/{device.pk}/readings/":
            continue
        answer = getattr(client, door.method)(path, {}, content_type="application/json")
        assert answer.status_code == 401, (door.method, path, answer.status_code)
        asked += 1
    assert asked > 100


def test_wrong_keys_are_limited_and_right_ones_are_not(device: Device, settings: Any) -> None:
    settings.SIGN_IN_TRIES_PER_ACCOUNT = 3
    settings.SIGN_IN_TRIES_PER_ADDRESS = 6
    _, text = key_of(device)
    wrong = text[:-2] + "zz"
    assert [send(device, wrong).status_code for _ in range(4)] == [401, 401, 401, 429]
    limited = send(device, wrong)
    assert limited.json()["code"] == "too_many_attempts"
    assert int(limited.headers["Retry-After"]) > 0
    assert send(device, text).status_code == 200  # its neighbour's old key doesn't stop it
    for number in range(3):
        send(device, f"thd_{number:012x}_{'a' * 43}")
    assert send(device, "x").status_code == 429
    # nor does it lock out the people behind the same address
    credentials = {"username": "nobody", "password": "wrong"}
    assert APIClient().post(f"{API}auth/token/", credentials, format="json").status_code == 401


def test_a_successor_leaves_no_gap(device: Device) -> None:
    old, old_text = key_of(device)
    new, new_text = keys.rotate(key=old, actor=f.user(), overlap=timedelta(hours=1))
    assert (new.name, new.device_id) == (old.name, device.pk)
    assert send(device, old_text).status_code == send(device, new_text).status_code == 200
    old.refresh_from_db()
    assert old.expires_at is not None
    assert timedelta(minutes=59) < old.expires_at - timezone.now() <= timedelta(hours=1)
    # never longer than it would have lived
    again, _ = keys.rotate(key=old, actor=f.user(), overlap=timedelta(days=7))
    until = old.expires_at
    old.refresh_from_db()
    assert old.expires_at == until
    _, last = keys.rotate(key=again, actor=f.user(), overlap=timedelta(0))
    again.refresh_from_db()
    assert again.state(timezone.now()) == "expired"
    assert send(device, last).status_code == 200


def test_refusals_of_the_service(device: Device) -> None:
    key, _ = key_of(device)
    with pytest.raises(InvalidInputError, match="expired already"):
        key_of(device, expires_at=timezone.now())
    with pytest.raises(InvalidInputError, match="0 to 90"):
        keys.rotate(key=key, actor=f.user(), overlap=timedelta(days=91))
    keys.revoke(key=key, actor=f.user())
    with pytest.raises(ConflictError, match="revoked"):
        keys.rotate(key=key, actor=f.user())
    for _ in range(keys.MAX_LIVE):
        key_of(device)
    with pytest.raises(ConflictError, match="At most 10"):
        key_of(device)
    key_of(f.device(device.model))


# --- REST of the keys themselves


def test_keys_over_rest(device: Device) -> None:
    engineer = rest()
    url = f"{API}devices/{device.pk}/keys/"
    made = engineer.post(url, {"name": " <b>gateway</b> "}, format="json")
    assert made.status_code == 201
    assert made.headers["Cache-Control"] == "no-store"
    body = made.json()
    assert (body["name"], body["state"], body["expires_at"]) == ("<b>gateway</b>", "live", None)
    assert send(device, body["key"]).status_code == 200
    listed = engineer.get(url).json()
    assert [row["prefix"] for row in listed] == [body["prefix"]]
    assert "key" not in listed[0]
    assert body["key"].split("_", 2)[2] not in str(listed)
    new = engineer.post(f"{url}{body['id']}/rotate/", {"overlap_hours": 2}, format="json").json()
    assert send(device, new["key"]).status_code == 200
    for _ in range(2):
        assert engineer.delete(f"{url}{body['id']}/").status_code == 204
    assert send(device, body["key"]).json()["code"] == "key_revoked"
    verbs = AuditEntry.objects.filter(object_type="devices.Device", object_id=device.pk)
    found = list(verbs.filter(verb__startswith="key").order_by("pk").values_list("verb", flat=True))
    assert found == ["key_made", "key_rotated", "key_revoked"]


def test_bad_questions_over_rest(device: Device) -> None:
    engineer = rest()
    url = f"{API}devices/{device.pk}/keys/"
    for given in ({}, {"name": ""}, {"name": "x" * 65}, {"name": "a", "expires_at": "soon"}):
        assert engineer.post(url, given, format="json").status_code == 400, given
    past = {"name": "a", "expires_at": "2020-01-01T00:00:00Z"}
    assert engineer.post(url, past, format="json").json()["code"] == "expires_in_past"
    key, _ = key_of(f.device(device.model))
    for method, path in (("delete", f"{key.pk}/"), ("post", f"{key.pk}/rotate/")):
        answer = getattr(engineer, method)(url + path, {}, format="json")
        assert (answer.status_code, answer.json()["code"]) == (404, "key_not_found")
    key.refresh_from_db()
    assert key.revoked_at is None


@pytest.mark.parametrize(
    ("role", "status"), [("clinician", 403), ("engineer", 200), ("admin", 200)]
)
def test_who_may_see_keys(device: Device, role: str, status: int) -> None:
    assert rest(role).get(f"{API}devices/{device.pk}/keys/").status_code == status


# --- the page


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(f.user())
    return client


def test_the_page_makes_changes_and_revokes(device: Device, browser: Client) -> None:
    page = f"/devices/{device.pk}/"
    below = f"{page}sections/"
    assert below in browser.get(page).content.decode()
    assert "No key: this machine" in browser.get(below).content.decode()
    made = browser.post(f"{page}keys/new/", {"name": "<script>x</script>", "days": "30"})
    key = device.keys.get()
    shown = made.content.decode()
    assert made.headers["Cache-Control"] == "no-store"
    assert f"thd_{key.prefix}_" in shown
    assert "<script>x" not in shown
    text = shown.split("<code>")[1].split("</code>")[0]
    assert send(device, text).status_code == 200
    listed = browser.get(below).content.decode()
    assert "&lt;script&gt;x" in listed
    assert key.prefix in listed
    assert text not in listed
    shown = browser.post(f"{page}keys/{key.pk}/rotate/", {"hours": "24"}).content.decode()
    assert device.keys.count() == 2
    assert "opens the door until" in shown
    answer = browser.post(f"{page}keys/{key.pk}/revoke/", follow=True).content.decode()
    assert "opens nothing any more" in answer
    assert send(device, text).json()["code"] == "key_revoked"


def test_the_page_says_what_is_wrong(device: Device, browser: Client) -> None:
    page = f"/devices/{device.pk}/"
    key, _ = key_of(device)
    for path, given, words in (
        ("keys/new/", {"name": ""}, "Give the key a name"),
        ("keys/new/", {"name": "a", "days": "7"}, "Give the key a name"),
        (f"keys/{key.pk}/rotate/", {"hours": "-1"}, "Choose for how long"),
    ):
        answer = browser.post(page + path, given, follow=True)
        assert words in answer.content.decode(), path
    keys.revoke(key=key, actor=f.user())
    answer = browser.post(f"{page}keys/{key.pk}/rotate/", {"hours": "24"}, follow=True)
    assert "This key is revoked" in answer.content.decode()
    other, _ = key_of(f.device(device.model))
    assert browser.post(f"{page}keys/{other.pk}/revoke/").status_code == 404
    assert device.keys.count() == 1


def test_clinicians_have_no_keys(device: Device) -> None:
    key_of(device)
    client = Client()
    client.force_login(f.user("clinician"))
    page = f"/devices/{device.pk}/"
    assert "sections/" not in client.get(page).content.decode()
    assert client.get(f"{page}sections/").status_code == 403
    assert client.post(f"{page}keys/new/", {"name": "x"}).status_code == 403
