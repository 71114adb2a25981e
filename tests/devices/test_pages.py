"""Pages of the fleet, the twin, alerts and the inbox, as every role sees them."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from devices.models import Alert, Device, DeviceModel, InboxEntry
from devices.services.evaluation import evaluate_rules
from devices.services.events import append
from devices.services.identify import find_or_inbox
from tests.devices import factories as f
from tests.devices.test_inbox import UNKNOWN

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>"


def client(role: str = "engineer") -> Client:
    made = Client()
    made.force_login(f.user(role))
    return made


@pytest.fixture
def engineer() -> Client:
    return client()


def failing(**fields: Any) -> Device:
    model = f.model()
    noise = f.metric(model)
    f.rule(noise)
    device = f.device(model, **fields)
    now = timezone.now()
    for minutes, value in ((180, 5), (120, 11), (60, 12)):
        f.reading(device, noise, value, now - f.minutes(minutes))
    evaluate_rules(device=device, now=now)
    return device


def page(who: Client, url: str, status: int = 200, **headers: str) -> str:
    answer = who.get(url, headers=headers)
    assert answer.status_code == status
    text: str = answer.content.decode()
    assert not re.search(r"\sstyle=|\son\w+=", text)
    return text


def test_an_empty_fleet_says_what_to_do(engineer: Client) -> None:
    text = page(engineer, "/devices/")
    assert "No machine is registered" in text
    assert reverse("devices:device-new") in text
    assert reverse("devices:device-new") not in page(client("clinician"), "/devices/")


def test_the_fleet(engineer: Client) -> None:
    bad = failing(name="XR-bad", location="R12", is_synthetic=True)
    f.device(name="XR-silent", location="R13")
    text = page(engineer, "/devices/")
    assert "1 needs action" in text
    assert "noise act: 12, allowed at most 10" in text
    assert "(n=2)" in text
    assert "synthetic" in text
    assert "1 of 1" in text
    assert text.index("XR-bad") < text.index("XR-silent")
    assert f'data-href="/devices/{bad.pk}/"' in text
    assert "XR-silent" not in page(engineer, "/devices/?state=act")
    assert "XR-bad" not in page(engineer, "/devices/?room=R13")
    assert "XR-bad" not in page(engineer, "/devices/?q=silent")
    assert "No machine matches" in page(engineer, "/devices/?q=nothing")


def test_the_fleet_renews_only_its_part(engineer: Client) -> None:
    failing()
    whole = page(engineer, "/devices/?state=act")
    assert 'data-refresh="20"' in whole
    assert 'hx-get="/devices/?state=act"' in whole
    part = page(engineer, "/devices/?state=act", **{"HX-Request": "true"})
    assert "<html" not in part
    assert "1 needs action" in part


def test_clinicians_see_a_reduced_fleet_and_twin() -> None:
    device = failing()
    clinician = client("clinician")
    text = page(clinician, "/devices/")
    assert "noise act: 12" in text
    assert ">Alerts</a></th>" not in text
    assert "checks were answered" not in text
    twin = page(clinician, f"/devices/{device.pk}/")
    assert "noise act: 12" in twin
    assert device.serial not in twin
    assert "Journal" not in twin


def test_the_twin(engineer: Client) -> None:
    device = failing(desired_config={"sw": "2"})
    append(device=device, kind="config_reported", payload={"config": {"sw": "1"}})
    text = page(engineer, f"/devices/{device.pk}/?range=24h")
    assert "Acknowledge 1 alert" in text
    assert "Take out of service" in text
    assert "1 drifted" in text
    assert f'hx-get="/devices/{device.pk}/images/"' in text
    found = re.search(r'<script id="twin-data" type="application/json">(.*?)</script>', text)
    assert found is not None
    data = json.loads(found.group(1))
    assert [c["key"] for c in data["charts"]] == ["noise"]
    assert data["charts"][0]["v"] == [5, 11, 12]
    assert data["charts"][0]["limits"] == [{"severity": "act", "value": 10.0, "text": "10"}]
    kinds = [m["kind"] for m in data["marks"]]
    assert kinds == ["registered", "config_desired", "alert_opened", "config_reported"]
    assert data["end"] - data["start"] == 24 * 3600


def test_the_twin_as_of_a_past_moment(engineer: Client) -> None:
    device = failing()
    Device.objects.filter(pk=device.pk).update(registered_at=timezone.now() - timedelta(days=2))
    then = timezone.localtime(timezone.now() - f.minutes(150)).strftime("%Y-%m-%dT%H:%M")
    text = page(engineer, f"/devices/{device.pk}/?at={then}&range=24h")
    assert "You see this machine as of" in text
    assert "before it was registered" not in text
    assert "badge-ok" in text
    assert "Acknowledge" not in text
    assert "Take out of service" not in text
    assert "No alert until then" in text
    assert f'value="{then}"' in text
    assert "?at=" in text.split("images/")[1][:10]
    long_ago = page(engineer, f"/devices/{device.pk}/?at=2020-01-01T00:00")
    assert "before it was registered" in long_ago
    assert "No reading in this span" in long_ago


def test_bad_moments(engineer: Client) -> None:
    url = f"/devices/{f.device().pk}/"
    for at in ("2999-01-01T00:00", "soon"):
        assert engineer.get(f"{url}?at={at}").status_code == 400


def test_a_machine_without_anything(engineer: Client) -> None:
    text = page(engineer, f"/devices/{f.device().pk}/?range=nonsense")
    assert "No rule watches this machine" in text
    assert "badge-unknown" in text
    assert "No reading in this span" in text
    assert page(engineer, "/devices/999999/", 404)


def test_hostile_text_stays_text(engineer: Client) -> None:
    device = failing(name=HOSTILE, location=HOSTILE, desired_config={HOSTILE: HOSTILE})
    find_or_inbox(name=type(UNKNOWN)(HOSTILE, HOSTILE, HOSTILE, HOSTILE), seen_at=f.NOW)
    alert = Alert.objects.get(device=device)
    for url in (
        "/devices/",
        f"/devices/{device.pk}/",
        "/alerts/",
        f"/alerts/{alert.pk}/",
        "/device-inbox/",
        "/devices/new/",
    ):
        assert HOSTILE not in page(engineer, url)


def test_acknowledge_all_of_a_machine(engineer: Client) -> None:
    device = failing()
    answer = engineer.post(f"/devices/{device.pk}/acknowledge/", follow=True)
    assert answer.redirect_chain == [(f"/devices/{device.pk}/", 302)]
    assert Alert.objects.get().state == "acknowledged"
    assert "Acknowledged: 1." in answer.content.decode()


def test_out_of_service_and_back(engineer: Client) -> None:
    device = f.device()
    url = f"/devices/{device.pk}/lifecycle/"
    given = {"lifecycle": "out_of_service", "reason": "tube"}
    text = engineer.post(url, given, follow=True).content.decode()
    assert "out of service" in text
    assert "Back in service" in text
    assert engineer.post(url, given).status_code == 409
    assert engineer.post(url, {"lifecycle": "lost"}).status_code == 302
    device.refresh_from_db()
    assert device.lifecycle == "out_of_service"


def test_edit_the_desired_configuration(engineer: Client) -> None:
    device = f.device()
    url = f"/devices/{device.pk}/config/"
    engineer.post(url, {"config": "sw = 2\n\nip = 10.0.0.1=x\n"})
    device.refresh_from_db()
    assert device.desired_config == {"sw": "2", "ip": "10.0.0.1=x"}
    text = page(engineer, f"/devices/{device.pk}/")
    assert "ip = 10.0.0.1=x\nsw = 2" in text
    for bad in ("nonsense", "= 2", "a =", "a = 1\na = 2"):
        answer = engineer.post(url, {"config": bad}, follow=True)
        assert "Nothing was changed" in answer.content.decode()
    device.refresh_from_db()
    assert device.desired_config == {"sw": "2", "ip": "10.0.0.1=x"}


def test_register_by_hand(engineer: Client) -> None:
    model = f.model()
    page(engineer, "/devices/new/")
    given = {"serial": "N-1", "name": "XR", "model": model.pk, "location": "R1"}
    answer = engineer.post("/devices/new/", given)
    device = Device.objects.get(serial="N-1")
    assert answer.headers["Location"] == f"/devices/{device.pk}/"
    again = engineer.post("/devices/new/", given)
    assert again.status_code == 400
    assert "registered already" in again.content.decode()
    new = {"manufacturer": "New", "model_name": "N", "modality": "DX"}
    engineer.post("/devices/new/", {"serial": "N-2", "name": "XR", **new})
    assert str(Device.objects.get(serial="N-2").model) == "New N"
    missing = engineer.post("/devices/new/", {"serial": "N-3", "name": "XR"})
    assert "Choose a known model" in missing.content.decode()
    taken = {"serial": "N-1", "name": "XR", **new, "model_name": "M"}
    assert engineer.post("/devices/new/", taken).status_code == 400
    assert not DeviceModel.objects.filter(name="M").exists()


def test_the_list_of_alerts(engineer: Client) -> None:
    assert "No machine asks for anybody" in page(engineer, "/alerts/")
    first, second = failing(name="XR-one"), failing(name="XR-two")
    engineer.post(f"/devices/{second.pk}/acknowledge/")
    text = page(engineer, "/alerts/")
    assert "1 open" in text
    assert "1 acknowledged" in text
    rows = "".join(re.findall(r"<tr id.*?</tr>", page(engineer, "/alerts/?state=open"), re.DOTALL))
    assert "XR-one" in rows
    assert "XR-two" not in rows
    for query, count in (
        (f"machine={first.pk}", 1),
        ("severity=watch", 0),
        ("severity=act", 2),
        ("state=resolved", 0),
        ("state=all", 2),
        ("mine=yes", 0),
        ("snoozed=hide", 2),
        ("ordering=-machine", 2),
        ("machine=x&page=99", 2),
    ):
        assert page(engineer, f"/alerts/?{query}").count('<tr id="alert-') == count, query
    ordered = page(engineer, "/alerts/?ordering=-machine")
    table = ordered[ordered.index("<tbody>") :]
    assert table.index("XR-two") < table.index("XR-one")


def test_acknowledge_inline(engineer: Client) -> None:
    failing()
    alert = Alert.objects.get()
    url = f"/alerts/{alert.pk}/acknowledge/"
    answer = engineer.post(url, headers={"HX-Request": "true"})
    text = answer.content.decode()
    assert "<html" not in text
    assert "acknowledged" in text
    assert "Acknowledge<" not in text
    assert engineer.post(url, headers={"HX-Request": "true"}).status_code == 409


def test_one_alert_from_open_to_resolved(engineer: Client) -> None:
    device = failing()
    alert = Alert.objects.get()
    url = f"/alerts/{alert.pk}/"
    text = page(engineer, url)
    assert "noise act: 12" in text
    assert '"v": [5.0, 11.0, 12.0]' in text
    colleague = f.user("admin")
    steps: list[tuple[str, dict[str, Any]]] = [
        ("acknowledge", {}),
        ("assign", {"assignee": colleague.pk}),
        ("snooze", {"hours": "720"}),
        ("comment", {"text": HOSTILE}),
    ]
    for step, given in steps:
        assert engineer.post(f"{url}{step}/", given).status_code == 302, step
    text = page(engineer, url)
    for word in ("acknowledged", "snoozed", "commented", str(colleague), "&lt;script&gt;"):
        assert word in text
    bad = engineer.post(f"{url}resolve/", {"reason": ""})
    assert bad.status_code == 400
    assert "This field is required" in bad.content.decode()
    engineer.post(f"{url}resolve/", {"reason": "repaired", "text": "new fan"})
    text = page(engineer, url)
    assert "new fan" in text
    assert "Snooze" not in text.replace("Snoozed", "")
    assert engineer.post(f"{url}resolve/", {"reason": "repaired"}).status_code == 409
    assert engineer.post(f"{url}nonsense/").status_code == 404
    assert page(engineer, f"/devices/{device.pk}/").count("repaired") >= 1


def test_a_clinician_may_not_be_given_an_alert(engineer: Client) -> None:
    failing()
    url = f"/alerts/{Alert.objects.get().pk}/assign/"
    assert engineer.post(url, {"assignee": f.user("clinician").pk}).status_code == 400


def test_the_inbox(engineer: Client) -> None:
    assert "Every machine is known" in page(engineer, "/device-inbox/")
    model = f.model(manufacturer="ACME", name="x-9")
    find_or_inbox(name=UNKNOWN, seen_at=f.NOW)
    entry = InboxEntry.objects.get()
    text = page(engineer, "/device-inbox/")
    assert "1 image" in text
    assert f'<option value="{model.pk}" selected>' in text
    url = f"/device-inbox/{entry.pk}/"
    bad = engineer.post(f"{url}register/", {"name": ""})
    assert bad.status_code == 400
    assert "This field is required" in bad.content.decode()
    answer = engineer.post(f"{url}register/", {"name": "XR-9", "model": model.pk}, follow=True)
    assert "XR-9 is registered" in answer.content.decode()
    assert Device.objects.get().serial == "ZZ-1"
    again = engineer.post(f"{url}register/", {"name": "XR-9", "model": model.pk})
    assert again.status_code == 400
    assert "ZZ-1" in page(engineer, "/device-inbox/?state=registered")
    assert "XR-9" in page(engineer, "/device-inbox/?state=all")


def test_alias_and_dismiss(engineer: Client) -> None:
    device = f.device(name="XR-7")
    find_or_inbox(name=UNKNOWN, seen_at=f.NOW)
    url = f"/device-inbox/{InboxEntry.objects.get().pk}/"
    assert engineer.post(f"{url}alias/", {}).status_code == 400
    engineer.post(f"{url}dismiss/")
    assert InboxEntry.objects.get().state == "dismissed"
    assert "ZZ-1" in page(engineer, "/device-inbox/?state=dismissed")
    answer = engineer.post(f"{url}alias/", {"device": device.pk}, follow=True)
    assert "ZZ-1 is XR-7 from now on" in answer.content.decode()
    assert engineer.post(f"{url}alias/", {"device": device.pk}).status_code == 400
    assert engineer.post(f"{url}dismiss/").status_code == 409


PAGES = [
    ("get", "/devices/new/"),
    ("post", "/devices/{}/config/"),
    ("post", "/devices/{}/lifecycle/"),
    ("post", "/devices/{}/acknowledge/"),
    ("get", "/alerts/"),
    ("get", "/alerts/{}/"),
    ("post", "/alerts/{}/resolve/"),
    ("get", "/device-inbox/"),
    ("post", "/device-inbox/{}/register/"),
    ("post", "/device-inbox/{}/alias/"),
    ("post", "/device-inbox/{}/dismiss/"),
]


@pytest.mark.parametrize(("method", "path"), PAGES)
def test_clinicians_are_kept_out_and_strangers_sign_in(method: str, path: str) -> None:
    url = path.format(f.device().pk)
    assert getattr(client("clinician"), method)(url).status_code == 403
    answer = getattr(Client(), method)(url)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/")


@pytest.mark.parametrize("path", [p for m, p in PAGES if m == "post"])
def test_steps_need_post(engineer: Client, path: str) -> None:
    assert engineer.get(path.format(1)).status_code == 405


@pytest.mark.parametrize("count", [1, 8])
def test_queries_do_not_grow(count: int, engineer: Client, django_assert_num_queries: Any) -> None:
    model = f.model()
    noise = f.metric(model)
    f.rule(noise)
    for number in range(count):
        device = f.device(model, location=f"R{number}")
        f.reading(device, noise, 11, timezone.now())
        evaluate_rules(device=device, now=timezone.now())
        for minutes in range(number):
            append(device=device, kind="config_reported", payload={"config": {"sw": str(minutes)}})
    with django_assert_num_queries(21):
        engineer.get("/devices/")
    with django_assert_num_queries(23):
        engineer.get(f"/devices/{device.pk}/")
    with django_assert_num_queries(23):
        engineer.get(f"/devices/{device.pk}/sections/")
    with django_assert_num_queries(10):
        engineer.get("/alerts/")
