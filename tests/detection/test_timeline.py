"""A patient's time axis over REST: everything merged, paged without gap or overlap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from detection.models import DetectionRun, DetectorVersion, Finding, Review, Signature
from imaging.models import Image, Series, Study
from patients.models import Observation, Patient

NOON = datetime(2026, 11, 14, 12, tzinfo=UTC)


@pytest.fixture
def clinician(db: None) -> User:
    return User.objects.create_user("reader", role="clinician", display_name="Dr. Reader")


@pytest.fixture
def client(clinician: User) -> Client:
    client = Client()
    client.force_login(clinician)
    return client


@pytest.fixture
def patient(db: None) -> Patient:
    return Patient.objects.create(identifier="8841", name="Doe^Jane")


@pytest.fixture
def version(db: None) -> DetectorVersion:
    return DetectorVersion.objects.create(
        name="v1", weights_sha256="a" * 64, weights_path="x.pth", config="light",
        classes=["covid"], thresholds={"covid": 0.3}, state="active",
    )  # fmt: skip


def film(patient: Patient, number: int, at: datetime) -> Image:
    study = Study.objects.create(study_instance_uid=f"1.{number}", patient=patient)
    series = Series.objects.create(series_instance_uid=f"2.{number}", study=study, modality="DX")
    return Image.objects.create(
        series=series, sop_instance_uid=f"3.{number}", sop_class_uid="4", transfer_syntax_uid="5",
        sha256=f"{number:064}", path=f"{number}.dcm", size=1, rows=10, columns=10, bits_stored=8,
        photometric="MONOCHROME2", acquired_at=at, door="rest",
    )  # fmt: skip


def pulse(patient: Patient, at: datetime, value: int = 70) -> Observation:
    return Observation.objects.create(
        patient=patient, code="8867-4", value=value, unit="/min", effective_at=at, source="rest"
    )


def get(client: Client, patient: Patient, query: str = "") -> dict[str, Any]:
    response = client.get(f"/api/v1/patients/{patient.pk}/timeline/{query}")
    assert response.status_code == 200, response.content
    return response.json()


def test_everything_newest_first(
    client: Client, patient: Patient, clinician: User, version: DetectorVersion
):
    pulse(patient, NOON - timedelta(hours=1))
    image = film(patient, 1, NOON)
    run = DetectionRun.objects.create(
        image=image, version=version, state="done", queued_at=NOON, sent_at=NOON,
        finished_at=NOON, device_trust="reduced",
    )  # fmt: skip
    finding = Finding.objects.create(run=run, label="covid", score=0.9, x=1, y=2, w=3, h=4)
    Review.objects.create(image=image, finding=finding, verdict="accept", by=clinician)
    Review.objects.create(
        image=image, finding=finding, verdict="reject", by=clinician, withdrawn_at=NOON
    )
    Signature.objects.create(
        image=image, by=clinician, by_name="Dr. Reader", at=NOON + timedelta(hours=1),
        conclusion="abnormal",
    )  # fmt: skip
    struck = pulse(patient, NOON, 190)
    struck.struck_at = NOON
    struck.save()
    other = Patient.objects.create(identifier="1")
    pulse(other, NOON)
    film(other, 2, NOON)
    answer = get(client, patient)
    assert answer["next"] is None
    by_kind = {row["kind"]: row for row in answer["results"]}
    assert [row["at"] for row in answer["results"]] == sorted(
        (row["at"] for row in answer["results"]), reverse=True
    )
    assert sorted(row["kind"] for row in answer["results"]) == [
        "film", "observation", "signature", "verdict",
    ]  # fmt: skip
    assert by_kind["film"]["findings"] == [
        {"id": finding.pk, "label": "covid", "score": 0.9, "box": [1.0, 2.0, 3.0, 4.0]}
    ]
    assert by_kind["film"]["run"]["device_trust"] == "reduced"
    assert (by_kind["verdict"]["verdict"], by_kind["verdict"]["label"]) == ("accept", "covid")
    assert by_kind["verdict"]["by"] == "Dr. Reader"
    assert by_kind["signature"]["conclusion"] == "abnormal"
    assert (by_kind["observation"]["value"], by_kind["observation"]["unit"]) == (70.0, "/min")
    trail = AuditEntry.objects.get()
    assert (trail.verb, trail.patient_ref) == ("viewed", patient.pk)


def test_pages_meet_even_at_the_same_instant(client: Client, patient: Patient):
    for number in range(4):
        film(patient, number, NOON)
        Observation.objects.create(
            patient=patient, code="8867-4", value=70, unit="/min", effective_at=NOON,
            source=["form", "rest", "wearable", "lab"][number],
        )  # fmt: skip
    pulse(patient, NOON - timedelta(days=1))
    whole = get(client, patient)["results"]
    assert len(whole) == 9
    paged: list[dict[str, Any]] = []
    query = "?page_size=2"
    for _ in range(6):
        answer = get(client, patient, query)
        paged += answer["results"]
        if answer["next"] is None:
            break
        query = "?" + answer["next"].split("?")[1]
    assert paged == whole


def test_kinds_and_before(client: Client, patient: Patient):
    film(patient, 1, NOON)
    pulse(patient, NOON)
    pulse(patient, NOON - timedelta(hours=1))
    assert [row["kind"] for row in get(client, patient, "?kind=film")["results"]] == ["film"]
    older = get(client, patient, "?before=2026-11-14T12:00:00%2B00:00")["results"]
    assert [row["at"] for row in older] == ["2026-11-14T11:00:00Z"]
    assert get(client, patient, "?before=2026-11-14T21:00:00+09:00")["results"] == older


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("before=yesterday", "bad_before"),
        ("before=2026-11-14T12:00:00", "bad_before"),
        ("before=2026-11-14T12:00:00%2B00:00_film_x", "bad_before"),
        ("before=2026-11-14T12:00:00%2B00:00_film_99999999999999999999", "bad_before"),
        ("kind=mood", "unknown_kind"),
        ("page_size=0", "bad_page_size"),
        ("page_size=501", "bad_page_size"),
        ("page_size=99999999999999", "bad_page_size"),
        ("page_size=x", "bad_page_size"),
    ],
)
def test_bad_questions(client: Client, patient: Patient, query: str, code: str):
    response = client.get(f"/api/v1/patients/{patient.pk}/timeline/?{query}")
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_nobodys_axis(client: Client):
    response = client.get("/api/v1/patients/999999/timeline/")
    assert (response.status_code, response.json()["code"]) == (404, "patient_not_found")


def test_few_queries(
    client: Client, patient: Patient, version: DetectorVersion, django_assert_max_num_queries
):
    for number in range(12):
        image = film(patient, number, NOON + timedelta(hours=number))
        run = DetectionRun.objects.create(
            image=image, version=version, queued_at=NOON, sent_at=NOON
        )
        Finding.objects.create(run=run, label="covid", score=0.9, x=1, y=2, w=3, h=4)
    with django_assert_max_num_queries(14):
        assert len(get(client, patient)["results"]) == 12
