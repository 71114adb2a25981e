"""What is in quarantine, and saying that somebody looked."""

from __future__ import annotations

import pytest

from accounts.models import AuditEntry
from imaging.models import QuarantinedFile
from imaging.services.quarantine import dismiss
from twinhealth.errors import ConflictError, NotFoundError

from .factories import make_dicom

pytestmark = pytest.mark.django_db
HTML = "<script>alert(1)</script>"


@pytest.fixture
def contested(send) -> QuarantinedFile:
    send(make_dicom(sop_uid="1.2.3", patient_id="P1"))
    with pytest.raises(ConflictError):
        send(make_dicom(sop_uid="1.2.3", patient_id=HTML), filename=HTML)
    return QuarantinedFile.objects.get()


def test_dismissing_leaves_file_and_trace(contested, clinician, archive):
    row = dismiss(quarantined_id=contested.pk, actor=clinician)
    assert (row.state, row.decided_by) == ("dismissed", clinician)
    assert row.decided_at is not None
    again = dismiss(quarantined_id=contested.pk, actor=clinician)
    assert again.decided_at == row.decided_at
    assert AuditEntry.objects.filter(verb="dismissed").count() == 1
    assert (archive / row.path).is_file()
    with pytest.raises(NotFoundError):
        dismiss(quarantined_id=0, actor=clinician)


def test_the_page_says_what_collides(client, clinician, contested):
    client.force_login(clinician)
    html = client.get("/quarantine/").content.decode()
    assert "same UID, other contents" in html
    assert "P1" in html
    assert HTML not in html
    assert "&lt;script&gt;" in html
    assert f"/films/{contested.existing_id}/" in html
    assert "1 file waits" in html
    assert AuditEntry.objects.filter(verb="listed").get().detail == {"quarantined": [contested.pk]}


def test_an_admin_sees_no_picture(client, admin, contested):
    client.force_login(admin)
    html = client.get("/quarantine/").content.decode()
    assert "P1" in html
    assert "/films/" not in html
    assert "<img" not in html


def test_looked_at(client, admin, contested):
    client.force_login(admin)
    answer = client.post(f"/quarantine/{contested.pk}/dismiss/")
    assert (answer.status_code, answer["Location"]) == (302, "/quarantine/")
    html = client.get("/quarantine/").content.decode()
    assert "Nothing waits" in html
    html = client.get("/quarantine/?state=dismissed").content.decode()
    assert "looked at" in html
    assert "admin" in html
    assert "same UID" in client.get("/quarantine/?state=all").content.decode()
    assert client.get(f"/quarantine/{contested.pk}/dismiss/").status_code == 405
    assert client.post("/quarantine/0/dismiss/").status_code == 404


def test_an_engineer_sees_nothing_of_it(client, engineer, contested):
    client.force_login(engineer)
    assert client.get("/quarantine/").status_code == 403
    assert client.post(f"/quarantine/{contested.pk}/dismiss/").status_code == 403
    assert client.get("/api/v1/quarantine/").status_code == 403
    assert client.post(f"/api/v1/quarantine/{contested.pk}/dismiss/").status_code == 403


def test_over_rest(client, clinician, contested):
    client.force_login(clinician)
    body = client.get("/api/v1/quarantine/?state=open").json()
    assert body["count"] == 1
    row = body["results"][0]
    assert (row["code"], row["existing"]) == ("sop_uid_conflict", contested.existing_id)
    assert (row["stored_patient"], row["claimed_patient"]) == ("P1", HTML)
    assert row["decided_by"] is None
    answer = client.post(f"/api/v1/quarantine/{contested.pk}/dismiss/")
    assert (answer.status_code, answer.json()["state"]) == (200, "dismissed")
    assert client.get("/api/v1/quarantine/?state=open").json()["count"] == 0
    missing = client.post("/api/v1/quarantine/0/dismiss/")
    assert (missing.status_code, missing.json()["code"]) == (404, "quarantined_not_found")
    assert client.get("/api/v1/quarantine/?state=nonsense").status_code == 400


def test_nobody(client, contested):
    assert client.get("/quarantine/").status_code == 302
    assert client.get("/api/v1/quarantine/").status_code == 401
