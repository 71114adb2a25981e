"""Makes and models: metrics in UCUM units, which stay once there are readings."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from devices.models import Metric
from devices.services import models
from tests.devices import factories as f
from twinhealth.errors import ConflictError, DomainError, InvalidInputError

pytestmark = pytest.mark.django_db
NEW = {"key": "oil", "label": "Oil", "unit": "kPa", "plausible_low": 0.0, "max_age_days": 2}


def test_a_unit_stays_once_there_are_readings() -> None:
    made, person = f.model(), f.user()
    oil = models.save_metric(model=made, changes=NEW, actor=person)
    assert (oil.unit, oil.max_age) == ("kPa", 172_800)
    models.save_metric(model=made, metric=oil, changes={"unit": "bar"}, actor=person)
    f.reading(f.device(made), oil, 1, f.NOW)
    models.save_metric(model=made, metric=oil, changes={"unit": "bar", "label": "P"}, actor=person)
    with pytest.raises(ConflictError) as caught:
        models.save_metric(model=made, metric=oil, changes={"unit": "kPa"}, actor=person)
    assert caught.value.code == "unit_in_use"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"key": "Big Key"}, "key_invalid"),
        ({"unit": "psi"}, "unknown_unit"),
        ({"plausible_high": -1.0}, "limits_crossed"),
        ({"plausible_low": float("nan")}, "not_a_number"),
        ({"max_age_days": 0}, "bad_age"),
        ({"counter_of": "wheel"}, "unknown_kind"),
        ({"label": ""}, "label_missing"),
        ({"key": "noise"}, "metric_exists"),
    ],
)
def test_what_can_not_be(changes: dict[str, Any], code: str) -> None:
    made = f.model()
    f.metric(made, "noise")
    with pytest.raises(DomainError) as caught:
        models.save_metric(model=made, changes={**NEW, **changes}, actor=f.user())
    assert caught.value.code == code


def test_an_interval_has_its_document() -> None:
    with pytest.raises(InvalidInputError):
        models.set_plan(model=f.model(), months=6, source=" ", actor=f.user())


def test_pages_and_rest() -> None:
    made = f.model(manufacturer="Acme", name="Ray")
    device = f.device(made)
    client = Client()
    client.force_login(f.user())
    home = f"/device-models/{made.pk}/"
    assert home in client.get("/device-models/").content.decode()
    client.post(home, {"months": "6", "source": "Service manual 7.2"})
    text = client.get(home).content.decode()
    assert "Service manual 7.2" in text
    assert f"/devices/{device.pk}/" in text
    form = {"key": "oil", "label": "Oil", "unit": "psi", "max_age_days": "7"}
    assert client.post(f"{home}metrics/new/", form).status_code == 400
    assert client.post(f"{home}metrics/new/", {**form, "unit": "kPa"}).status_code == 302
    oil = Metric.objects.get(key="oil")
    client.post(f"{home}metrics/{oil.pk}/", {**form, "unit": "kPa", "label": "Oil pressure"})
    oil.refresh_from_db()
    assert (oil.key, oil.label) == ("oil", "Oil pressure")
    api = f"/api/v1/device-models/{made.pk}/"
    body = client.get(api).json()
    assert (body["maintenance_months"], body["devices"]) == (6, [device.pk])
    added = client.post(f"{api}metrics/", {**NEW, "key": "oil2"}, content_type="application/json")
    assert added.status_code == 201
    changed = client.patch(
        f"{api}metrics/{oil.pk}/", {"unit": "bar"}, content_type="application/json"
    )
    assert changed.json()["unit"] == "bar"
    wrong = client.patch(api, {"months": 0, "source": "x"}, content_type="application/json")
    assert wrong.json()["code"] == "bad_interval"
    assert len(client.get("/api/v1/device-models/").json()) == 1
