"""Rules in the browser and by REST: who may, what is told, what a version keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from devices.models import Device, Metric, Rule
from devices.services.evaluation import evaluate_rules
from tests.devices import factories as f

pytestmark = pytest.mark.django_db


def api(role: str = "engineer") -> APIClient:
    client = APIClient()
    client.force_authenticate(f.user(role))
    return client


def browser(role: str = "engineer") -> Client:
    client = Client()
    client.force_login(f.user(role))
    return client


@pytest.fixture
def bench() -> tuple[Device, Metric]:
    made = f.model()
    return f.device(made), f.metric(made, unit="Cel", cadence=300)


def new(metric: Metric, **given: Any) -> dict[str, Any]:
    return {
        "model": metric.device_model_id, "metric": metric.key, "kind": "limit", "name": "Hot",
        "severity": "act", "high": 42, "reason": "acceptance", **given,
    }  # fmt: skip


def test_by_rest_from_the_first_version_to_the_last(bench: tuple[Device, Metric]) -> None:
    _device, noise = bench
    client = api()
    made = client.post("/api/v1/rules/", new(noise), format="json")
    assert made.status_code == 201, made.content
    pk = made.json()["id"]
    assert (made.json()["version"], made.json()["keep_seconds"]) == (1, 900)
    changed = client.patch(
        f"/api/v1/rules/{pk}/", {"high": 40, "reason": "earlier", "version": 1}, format="json"
    ).json()
    assert (changed["high"], changed["low"], changed["version"]) == (40.0, None, 2)
    assert [h["reason"] for h in changed["history"]] == ["earlier", "acceptance"]
    late = client.patch(
        f"/api/v1/rules/{pk}/", {"high": 1, "reason": "x", "version": 1}, format="json"
    )
    assert (late.status_code, late.json()["code"]) == (409, "rule_changed")
    off = client.post(f"/api/v1/rules/{pk}/disable/", {"reason": "sensor"}, format="json").json()
    assert (off["enabled"], off["version"]) == (False, 3)
    assert (
        client.post(f"/api/v1/rules/{pk}/disable/", {"reason": "x"}, format="json").status_code
        == 409
    )
    assert client.post(f"/api/v1/rules/{pk}/enable/", {"reason": "back"}, format="json").json()[
        "enabled"
    ]
    listed = client.get(
        f"/api/v1/rules/?model={noise.device_model_id}&kind=limit&enabled=true"
    ).json()
    assert [row["id"] for row in listed["results"]] == [pk]
    assert client.get("/api/v1/rules/?kind=weather").status_code == 400


def test_parameters_are_names(bench: tuple[Device, Metric]) -> None:
    _, noise = bench
    client = api()
    pk = client.post("/api/v1/rules/", new(noise), format="json").json()["id"]
    for params in ([1], "x", 3):
        body = {"params": params, "reason": "try"}
        assert client.patch(f"/api/v1/rules/{pk}/", body, format="json").status_code == 400


def test_a_bad_value_is_named_and_nothing_is_made(bench: tuple[Device, Metric]) -> None:
    _, noise = bench
    for given, field in (
        ({"high": "NaN"}, "high"),
        ({"for_seconds": -1}, "for_seconds"),
        ({"kind": "drift", "high": None, "params": {"baseline_days": 0}}, "baseline_days"),
    ):
        answer = api().post("/api/v1/rules/", new(noise, **given), format="json")
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_rule")
        assert set(answer.json()["extra"]["fields"]) == {field}
    assert not Rule.objects.exists()


def test_a_replay_by_rest_saved_or_not(bench: tuple[Device, Metric]) -> None:
    device, noise = bench
    now = timezone.now()
    for days, value in ((10, 30), (9, 50), (8, 30)):
        f.reading(device, noise, value, now - timedelta(days=days))
    unsaved = {"device": device.pk, "metric": "noise", "kind": "limit", "high": 42}
    answer = api().post("/api/v1/rules/replay/", unsaved, format="json")
    assert answer.status_code == 200, answer.content
    assert answer.json()["sentence"].startswith(
        "With these limits you would have had 1 alert in the last year: 1 that nothing followed."
    )
    assert len(answer.json()["alerts"]) == 1
    rule = f.rule(noise, high=60.0)
    saved = {"device": device.pk, "rule": rule.pk}
    assert api().post("/api/v1/rules/replay/", saved, format="json").json()["alerts"] == []
    closer = {**saved, "high": 20}
    assert len(api().post("/api/v1/rules/replay/", closer, format="json").json()["alerts"]) == 1
    assert Rule.objects.get().high == 60


def test_checks_have_kind_baseline_and_version(bench: tuple[Device, Metric]) -> None:
    device, noise = bench
    pk = api().post("/api/v1/rules/", new(noise), format="json").json()["id"]
    now = timezone.now()
    f.reading(device, noise, 50, now)
    evaluate_rules(device=device, now=now)
    (check,) = api().get(f"/api/v1/devices/{device.pk}/").json()["health"]["checks"]
    assert (check["kind"], check["baseline"], check["version"], check["rule_id"]) == (
        "limit",
        None,
        1,
        pk,
    )
    one = api().get(f"/api/v1/devices/{device.pk}/checks/{pk}/").json()
    assert one["check"]["state"] == "act"
    assert one["alerts"][0]["version"] == 1
    assert "above 42 °C" in one["sentence"]
    other = f.watched_device()[0]
    assert api().get(f"/api/v1/devices/{other.pk}/checks/{pk}/").status_code == 404


def test_the_pages_make_change_replay_and_switch(bench: tuple[Device, Metric]) -> None:
    device, noise = bench
    client, make = browser(), f"/makes/{noise.device_model_id}/rules"
    assert client.get(f"{make}/new/").status_code == 200
    wanted = client.get(f"{make}/new/?kind=drift")
    assert wanted.status_code == 400
    assert b"choose one" in wanted.content
    address = f"{make}/new/?kind=limit&metric={noise.pk}"
    assert "Lower limit, °C" in client.get(address).content.decode()
    bad = client.post(address, {"name": "Hot", "severity": "act", "high": "nan", "reason": "x"})
    assert bad.status_code == 400
    assert "A finite number is needed." in bad.content.decode()
    done = client.post(address, {"name": "Hot", "severity": "act", "high": "42", "reason": "x"})
    rule = Rule.objects.get()
    assert done.headers["Location"] == f"/rules/{rule.pk}/"
    assert not rule.affects_image
    f.reading(device, noise, 50, timezone.now() - timedelta(days=3))
    values = {
        "name": "Hot", "severity": "act", "high": "40", "kind": "limit", "metric_key": "noise",
        "device": device.pk, "days": "30",
    }  # fmt: skip
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.post(f"{make}/replay/", values, headers=headers)
        assert answer.status_code == 200, answer.content
        assert "you would have had 1 alert in the last 30 days" in answer.content.decode()
        assert b"data-charts-json" in answer.content
    wrong = client.post(f"{make}/replay/", {**values, "high": "-", "days": "7"})
    assert wrong.status_code == 400
    assert "Select a valid choice" in wrong.content.decode()
    edit = client.get(f"/rules/{rule.pk}/edit/").content.decode()
    assert 'value="42"' in edit
    saved = client.post(
        f"/rules/{rule.pk}/edit/",
        {"name": "Hot", "severity": "act", "high": "40", "reason": "earlier", "version": "1"},
    )
    assert saved.status_code == 302
    assert client.post(f"/rules/{rule.pk}/switch/", {"reason": ""}).status_code == 400
    client.post(f"/rules/{rule.pk}/switch/", {"reason": "<b>loose</b>"})
    page = client.get(f"/rules/{rule.pk}/").content.decode()
    assert "&lt;b&gt;loose&lt;/b&gt;" in page
    assert "Switched off. act where" in page
    assert "No rule is switched off" not in client.get("/rules/?show=off").content.decode()


def test_a_check_is_one_click_from_the_twin(bench: tuple[Device, Metric]) -> None:
    device, noise = bench
    rule = f.rule(noise, "act", high=42.0)
    f.reading(device, noise, 50, timezone.now())
    evaluate_rules(device=device, now=timezone.now())
    client, address = browser(), f"/devices/{device.pk}/checks/{rule.pk}/"
    assert f'href="{address}"' in client.get(f"/devices/{device.pk}/").content.decode()
    page = client.get(address).content.decode()
    for text in (
        "50 °C",
        "at most 42 °C",
        "act where a reading is above 42 °C",
        "Replay",
        "data-plot",
    ):
        assert text in page
    assert browser("clinician").get(address).status_code == 403
    assert address not in browser("clinician").get(f"/devices/{device.pk}/").content.decode()
