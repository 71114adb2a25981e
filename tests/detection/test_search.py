"""The top bar's search: by role, and a single exact hit opens at once."""

from __future__ import annotations

from datetime import date

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from devices.models import Device, DeviceModel, WorkOrder
from patients.models import Patient


@pytest.fixture
def things(db: None) -> dict[str, int]:
    model = DeviceModel.objects.create(manufacturer="Acme", name="Ray", modality="DX")
    device = Device.objects.create(serial="SN-881", name="XR-2", model=model, location="R12")
    Device.objects.create(serial="SN-882", name="XR-3", model=model, is_synthetic=True)
    order = WorkOrder.objects.create(device=device, title="Check", due_on=date(2026, 12, 1))
    patient = Patient.objects.create(identifier="8841", name="Doe^Jane")
    Patient.objects.create(identifier="88410", name="<b>Roe</b>")
    return {"device": device.pk, "order": order.pk, "patient": patient.pk}


def signed_in(role: str) -> Client:
    client = Client()
    client.force_login(User.objects.create_user(f"the-{role}", role=role))
    return client


def text(client: Client, q: str) -> str:
    response = client.get("/search/", {"q": q})
    assert response.status_code == 200, response.headers
    return response.content.decode()


def test_each_role_finds_what_it_may_know(things: dict[str, int]):
    for role, patients, orders in (
        ("clinician", True, False),
        ("engineer", False, True),
        ("admin", False, True),
    ):
        client = signed_in(role)
        assert ("Doe^Jane" in text(client, "884")) is patients
        assert "XR-3" in text(client, "sn-88")
        order = client.get("/search/", {"q": f"wo-{things['order']}"})
        assert (order.status_code == 302) is orders


@pytest.mark.parametrize(
    ("role", "q", "target"),
    [
        ("clinician", "8841", "/patients/{patient}/"),
        ("clinician", "sn-881", "/devices/{device}/"),
        ("engineer", " XR-2 ", "/devices/{device}/"),
        ("engineer", "WO-{order}", "/maintenance/orders/{order}/"),
        ("admin", "wo {order}", "/maintenance/orders/{order}/"),
    ],
)
def test_an_exact_hit_opens(things: dict[str, int], role: str, q: str, target: str):
    response = signed_in(role).get("/search/", {"q": q.format(**things)})
    assert response["Location"] == target.format(**things)


def test_a_bare_number_is_offered_not_opened(things: dict[str, int]):
    html = text(signed_in("engineer"), str(things["order"]))
    assert f"WO-{things['order']}" in html
    assert "Check, XR-2" in html


def test_two_patients_of_one_number_are_both_shown(things: dict[str, int]):
    Patient.objects.create(identifier="8841", issuer="OTHER", name="Poe^Edgar")
    html = text(signed_in("clinician"), "8841")
    assert "Doe^Jane" in html
    assert "Poe^Edgar" in html
    assert "&lt;b&gt;Roe" in html
    assert "<b>Roe" not in html


def test_names_of_patients_are_not_searched_and_the_trail_has_no_typed_text(things: dict[str, int]):
    client = signed_in("clinician")
    assert "Doe^Jane" not in text(client, "Doe")
    assert not AuditEntry.objects.exists()
    text(client, "884")
    row = AuditEntry.objects.get()
    assert row.verb == "searched"
    assert things["patient"] in row.detail["patients"]
    assert "q" not in row.detail


@pytest.mark.parametrize(
    "q", ["", "   ", "\1", "%", "x" * 500, "wo-99999999999999999", "<script>alert(1)"]
)
def test_odd_words_find_nothing_politely(things: dict[str, int], q: str):
    html = text(signed_in("clinician"), q)
    assert "Type the beginning" in html
    assert "<script>alert" not in html


def test_more_than_a_page_says_so(things: dict[str, int]):
    Patient.objects.bulk_create(Patient(identifier=f"77{n:03}") for n in range(11))
    html = text(signed_in("clinician"), "77")
    assert html.count("<tr data-href") == 10
    assert "There are more" in html


def test_strangers_sign_in_first(db: None):
    assert Client().get("/search/?q=1")["Location"].startswith("/login/")
