"""REST of patients."""

from __future__ import annotations

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from patients.models import Observation, Patient

from .conftest import at


def send(api: Client, patient: Patient, body: object):
    address = f"/api/v1/patients/{patient.pk}/observations/"
    return api.post(address, body, content_type="application/json")


def item(**fields: object) -> dict[str, object]:
    return {
        "code": "8867-4", "value": 72, "unit": "/min", "effective_at": at().isoformat(), **fields,
    }  # fmt: skip


def test_a_method_that_an_address_lacks_is_405_for_those_who_may_be_there(db) -> None:
    client = Client()
    assert client.get("/api/v1/patients/1/observations/").status_code == 401
    client.force_login(User.objects.create_user("reader405", role="clinician"))
    assert client.get("/api/v1/patients/1/observations/").status_code == 405


def test_list_and_one(api: Client, patient: Patient):
    Patient.objects.create(identifier="1203", is_synthetic=True)
    body = api.get("/api/v1/patients/?ordering=-identifier").json()
    assert body["count"] == 2
    assert [row["identifier"] for row in body["results"]] == ["8841", "1203"]
    assert api.get("/api/v1/patients/?identifier=8841").json()["count"] == 1
    assert api.get("/api/v1/patients/?identifier=884").json()["count"] == 0
    assert api.get("/api/v1/patients/?q=884").json()["count"] == 1
    assert api.get("/api/v1/patients/?synthetic=yes&page_size=1").json()["count"] == 1
    one = api.get(f"/api/v1/patients/{patient.pk}/").json()
    assert (one["name"], one["birth_date"], one["sex"]) == ("Doe^Jane", "1959-03-14", "F")
    assert api.get("/api/v1/patients/999999/").json()["code"] == "patient_not_found"
    verbs = list(AuditEntry.objects.values_list("verb", flat=True))
    assert verbs.count("listed") == 5
    assert AuditEntry.objects.filter(verb="viewed", patient_ref=patient.pk).count() == 1


def test_a_batch(api: Client, patient: Patient):
    body = [item(), item(code="1-8"), item(), "text", None, item(unit=5), item(effective_at="now")]
    response = send(api, patient, body)
    assert response.status_code == 200
    answer = response.json()
    assert (answer["accepted"], answer["duplicates"]) == (1, 1)
    assert [(r["index"], r["code"]) for r in answer["rejected"]] == [
        (1, "unknown_code"),
        (3, "unknown_code"),
        (4, "unknown_code"),
        (5, "wrong_unit"),
        (6, "bad_time"),
    ]
    row = Observation.objects.get()
    assert (row.source, row.entered_by_id) == ("rest", row.entered_by.pk)
    assert send(api, patient, body[:1]).json() == {"accepted": 0, "duplicates": 1, "rejected": []}


@pytest.mark.parametrize(
    "when", ["2026-11-14T09:30:00+09:00", "2026-11-14T00:30:00Z", "2026-11-14T00:30+00:00"]
)
def test_times_have_an_offset(api: Client, patient: Patient, when: str):
    assert send(api, patient, [item(effective_at=when)]).json()["accepted"] == 1
    assert Observation.objects.get().effective_at.isoformat() == "2026-11-14T00:30:00+00:00"


@pytest.mark.parametrize("when", ["2026-11-14T00:30:00", "2026-11-14", "", 5, None, ["x"]])
def test_a_time_without_offset_is_rejected(api: Client, patient: Patient, when: object):
    answer = send(api, patient, [item(effective_at=when)]).json()
    assert [r["code"] for r in answer["rejected"]] == ["bad_time"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"code": "8867-4"}, 400, "not_a_list"),
        ("[NaN", 400, "parse_error"),
        ('[{"value": NaN}]', 400, "parse_error"),
        ([{}] * 1001, 413, "too_many_items"),
    ],
)
def test_a_body_that_is_no_batch(
    api: Client, patient: Patient, body: object, status: int, code: str
):
    address = f"/api/v1/patients/{patient.pk}/observations/"
    if isinstance(body, str) and body.startswith("["):
        response = api.generic("POST", address, body, content_type="application/json")
    else:
        response = api.post(address, body, content_type="application/json")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert not Observation.objects.exists()


def test_infinity_that_json_can_hide_is_rejected(api: Client, patient: Patient):
    address = f"/api/v1/patients/{patient.pk}/observations/"
    body = (
        '[{"code": "8867-4", "value": 1e999, "unit": "/min", "effective_at": "2026-01-01T00:00Z"}]'
    )
    answer = api.generic("POST", address, body, content_type="application/json").json()
    assert [r["code"] for r in answer["rejected"]] == ["not_a_number"]


def test_nobodys_values(api: Client, patient: Patient):
    response = api.post("/api/v1/patients/999999/observations/", [], "application/json")
    assert (response.status_code, response.json()["code"]) == (404, "patient_not_found")
    assert send(api, patient, []).json() == {"accepted": 0, "duplicates": 0, "rejected": []}
