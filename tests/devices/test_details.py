"""A machine's details: changed with a journal entry, refused with a reason, history unbroken."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry
from devices.models import TwinEvent
from devices.services.details import change_details
from devices.services.events import rebuild
from tests.devices import factories as f
from twinhealth.errors import InvalidInputError

pytestmark = pytest.mark.django_db


def test_renaming_keeps_the_history() -> None:
    device = f.device(name="XR-old", location="R1")
    changed = change_details(
        device=device,
        changes={"name": "XR-new", "location": "R1", "ae_titles": ["XR1", "XR1", "XR1_ST"]},
        actor=f.user(),
    )
    assert (changed.name, changed.ae_titles) == ("XR-new", ["XR1", "XR1_ST"])
    event = TwinEvent.objects.get(device=device, kind="details_changed")
    assert event.payload["changed"] == {"name": "XR-new", "ae_titles": "XR1, XR1_ST"}
    assert event.payload["previous"]["name"] == "XR-old"
    assert TwinEvent.objects.filter(device=device, kind="registered").exists()
    device.refresh_from_db()
    assert device.twin.state["name"] == "XR-new"
    assert rebuild(device=device, repair=False)
    change_details(device=device, changes={"name": "XR-new"}, actor=f.user())
    assert TwinEvent.objects.filter(kind="details_changed").count() == 1
    assert AuditEntry.objects.filter(verb="described", object_id=str(device.pk)).count() == 1


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"name": " "}, "name_missing"),
        ({"udi": "(01)123"}, "udi_invalid"),
        ({"ae_titles": ["a" * 17]}, "ae_title_invalid"),
        ({"ae_titles": ["back\\slash"]}, "ae_title_invalid"),
        ({"ae_titles": "XR1"}, "ae_title_invalid"),
        ({"criticality": 7}, "unknown_criticality"),
        ({"location": "x" * 65}, "location_too_long"),
    ],
)
def test_what_can_not_be(changes: dict[str, Any], code: str) -> None:
    device = f.device()
    with pytest.raises(InvalidInputError) as caught:
        change_details(device=device, changes=changes, actor=f.user())
    assert caught.value.code == code


def test_page_and_rest() -> None:
    device = f.device(name="XR-old", desired_config={"sw": "2"})
    client = Client()
    client.force_login(f.user())
    address = f"/devices/{device.pk}/details/"
    good = {"name": "XR-new", "location": "R9", "criticality": "3", "ae_titles": "A, B"}
    assert client.post(address, good).status_code == 302
    text = client.get(f"/devices/{device.pk}/").content.decode()
    assert "AE A, B" in text
    assert "name XR-old → XR-new" in text
    bad = client.post(address, {**good, "udi": "nonsense"})
    assert (bad.status_code, "This UDI can&#x27;t be right" in bad.content.decode()) == (400, True)
    api = f"/api/v1/devices/{device.pk}/"
    body = client.patch(
        api, {"udi": "(01)00844588003288", "criticality": 1}, content_type="application/json"
    ).json()
    assert (body["udi"], body["criticality"], body["ae_titles"]) == (
        "(01)00844588003288", 1, ["A", "B"],
    )  # fmt: skip
    assert body["desired_config"] == {"sw": "2"}
