from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from accounts.permissions import Role
from detection.models import DetectionRun, DetectorVersion, RunState, VersionState
from detection.services import versions
from detection.tasks import execute_run_task
from tests.detection.factories import make_device, make_image, make_run, make_user, make_version
from tests.imaging.factories import make_dicom, make_picture

pytestmark = pytest.mark.django_db
API = "/api/v1/"
# every address of this room: method, path, roles that may
ADDRESSES = [
    ("get", "images/", {Role.CLINICIAN, Role.ADMIN}),
    ("post", "images/", {Role.CLINICIAN}),
    ("get", "images/{image}/", {Role.CLINICIAN, Role.ADMIN}),
    ("post", "images/{image}/reviews/", {Role.CLINICIAN}),
    ("post", "images/{image}/claim/", {Role.CLINICIAN}),
    ("post", "images/{image}/release/", {Role.CLINICIAN}),
    ("post", "images/{image}/sign/", {Role.CLINICIAN}),
    ("post", "findings/{finding}/reviews/", {Role.CLINICIAN}),
    ("delete", "reviews/1/", {Role.CLINICIAN}),
    ("get", "runs/{run}/", {Role.CLINICIAN, Role.ADMIN}),
    ("post", "runs/{run}/retry/", {Role.CLINICIAN}),
    ("get", "worklist/", {Role.CLINICIAN}),
    ("get", "detector-versions/", {Role.ADMIN}),
    ("post", "detector-versions/{version}/promote/", {Role.ADMIN}),
    ("get", "detector-versions/{version}/", {Role.ADMIN}),
    ("get", "detector-versions/{version}/compare/", {Role.ADMIN}),
    ("post", "detector-versions/{version}/shadow/", {Role.ADMIN}),
    ("delete", "detector-versions/{version}/shadow/", {Role.ADMIN}),
    ("post", "detector-versions/{version}/retire/", {Role.ADMIN}),
    ("post", "detector-versions/{version}/score/", {Role.ADMIN}),
    ("post", "detector-versions/rollback/", {Role.ADMIN}),
    ("get", "detector-versions/promotions/", {Role.ADMIN}),
]


def client(user: User | None) -> APIClient:
    api = APIClient()
    if user:
        api.force_authenticate(user)
    return api


@pytest.fixture
def run(version: DetectorVersion) -> DetectionRun:
    image = make_image(device=make_device(), received_ago=timezone.timedelta(minutes=5))
    return make_run(image, version, boxes=(("covid", 0.9), ("normal", 0.8)))


@pytest.fixture
def media(tmp_path: Any, settings: Any) -> None:
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.PIXEL_CACHE_ROOT = tmp_path / "cache"


@pytest.mark.parametrize("role", [None, *Role])
@pytest.mark.parametrize(("method", "path", "roles"), ADDRESSES)
def test_who_may_what(
    run: DetectionRun, method: str, path: str, roles: set[str], role: str | None
) -> None:
    user = make_user(role) if role else None
    address = API + path.format(
        image=run.image_id, run=run.pk, finding=run.findings.all()[0].pk, version=run.version_id
    )
    answer = getattr(client(user), method)(address)
    if role is None:
        assert answer.status_code == 401
    elif role not in roles:
        assert answer.status_code == 403
        assert set(answer.json()) == {"code", "message", "extra"}
        assert "Secret" not in answer.content.decode()
    else:
        assert answer.status_code not in {401, 403, 405, 500}


def test_an_upload_is_stored_once_and_gets_a_run(
    version: DetectorVersion, reader: User, media: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute_run_task, "delay", lambda run_id: None)
    content = make_dicom()

    def post() -> Any:
        file = SimpleUploadedFile("film.dcm", content)
        return client(reader).post(API + "images/", {"file": file}, format="multipart")

    first = post()
    assert first.status_code == 201, first.json()
    body = first.json()
    run = DetectionRun.objects.get()
    assert set(body) == {
        "id",
        "sop_instance_uid",
        "study_instance_uid",
        "sha256",
        "duplicate",
        "run",
    }
    assert (body["duplicate"], body["run"]) == (False, {"id": run.pk, "state": "queued"})
    again = post()
    assert again.status_code == 200
    assert again.json() == {**body, "duplicate": True}


def test_conflicts_and_refusals_in_the_one_shape(
    version: DetectorVersion, reader: User, media: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute_run_task, "delay", lambda run_id: None)

    def post(content: bytes, **fields: str) -> Any:
        file = SimpleUploadedFile("film", content)
        return client(reader).post(API + "images/", {"file": file, **fields}, format="multipart")

    assert post(make_dicom(sop_uid="1.2.3.4")).status_code == 201
    clash = post(make_dicom(sop_uid="1.2.3.4", patient_name="Other^Name", rows=70))
    assert (clash.status_code, clash.json()["code"]) == (409, "sop_uid_conflict")
    picture = make_picture()
    assert post(picture, patient_id="P1", device="XR-1").status_code == 201
    clash = post(picture, patient_id="P2", device="XR-1")
    assert (clash.status_code, clash.json()["code"]) == (409, "identity_conflict")
    empty = post(b"")
    assert (empty.status_code, empty.json()["code"]) == (400, "empty_file")
    missing = client(reader).post(API + "images/", {}, format="multipart")
    assert (missing.status_code, missing.json()["code"]) == (400, "file_missing")


def test_one_image_for_its_reader(run: DetectionRun, reader: User) -> None:
    covid = run.findings.get(label="covid")
    api = client(reader)
    created = api.post(f"{API}findings/{covid.pk}/reviews/", {"verdict": "accept"}, format="json")
    assert created.status_code == 201
    body = api.get(f"{API}images/{run.image_id}/").json()
    assert body["device"]["serial"] == run.image.device.serial
    assert [r["state"] for r in body["runs"]] == ["done"]
    first = body["findings"][0]
    assert (first["label"], first["score"], first["box"]) == (
        "covid",
        0.9,
        [20.0, 30.0, 100.0, 120.0],
    )
    assert first["device_trust"] == "unknown"
    assert first["review"]["verdict"] == "accept"
    assert body["findings"][1]["review"] is None
    assert (body["width"], body["height"]) == (400, 300)
    seen = AuditEntry.objects.get(verb="viewed")
    assert (seen.actor, seen.patient_ref) == (reader, run.image.series.study.patient_id)


def test_an_admin_sees_metadata_only(run: DetectionRun, admin: User) -> None:
    answer = client(admin).get(f"{API}images/{run.image_id}/")
    body = answer.json()
    assert (body["findings"], body["added"], body["signature"], body["why"]) == (
        None,
        None,
        None,
        "",
    )
    assert [r["state"] for r in body["runs"]] == ["done"]
    patient = run.image.series.study.patient
    assert patient.name not in answer.content.decode()
    assert body["patient"] == {"id": patient.pk}


def test_a_run(run: DetectionRun, reader: User) -> None:
    body = client(reader).get(f"{API}runs/{run.pk}/").json()
    assert (body["state"], body["detector_version"], body["seconds"], body["reason"]) == (
        "done",
        run.version.name,
        0.2,
        "",
    )
    missing = client(reader).get(f"{API}runs/999999/")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")


def test_retry(version: DetectorVersion, reader: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execute_run_task, "delay", lambda run_id: None)
    run = make_run(make_image(), version, RunState.FAILED)
    answer = client(reader).post(f"{API}runs/{run.pk}/retry/")
    assert (answer.status_code, answer.json()["state"]) == (202, "queued")
    answer = client(reader).post(f"{API}runs/{run.pk}/retry/")
    assert (answer.status_code, answer.json()["code"]) == (409, "bad_transition")


def test_the_worklist(run: DetectionRun, reader: User, other: User) -> None:
    make_run(make_image(), run.version)
    client(other).post(f"{API}images/{run.image_id}/claim/")
    body = client(reader).get(API + "worklist/").json()
    assert (body["count"], body["next"], body["previous"]) == (1, None, None)
    row = body["results"][0]
    assert row["image"] == run.image_id
    assert row["why"] == "covid 0.90, left of the picture"
    assert row["claimed_by"] == "other"
    assert row["patient"]["identifier"] == run.image.series.study.patient.identifier
    assert "name" not in row["patient"]
    assert row["run"] == {"id": run.pk, "state": "done"}
    assert row["priority"] > 1.9
    entry = AuditEntry.objects.get(verb="listed")
    assert (entry.actor, entry.detail) == (reader, {"images": [run.image_id]})
    everything = client(reader).get(API + "worklist/?show=all&page_size=1&ordering=-priority")
    assert (everything.json()["count"], len(everything.json()["results"])) == (2, 1)
    assert everything.json()["next"]


def test_claim_sign_and_the_conflicts_that_others_get(
    run: DetectionRun, reader: User, other: User
) -> None:
    image = f"{API}images/{run.image_id}/"
    taken = client(other).post(image + "claim/")
    assert (taken.status_code, taken.json()["by"]) == (200, "other")
    for path, body in (("claim/", {}), ("sign/", {"conclusion": "normal"}), ("release/", {})):
        refused = client(reader).post(image + path, body, format="json")
        assert (refused.status_code, refused.json()["code"]) == (409, "claimed")
        assert refused.json()["extra"]["by"] == "Dr Other"
        assert refused.json()["extra"]["until"]
    assert client(other).post(image + "release/").json() == {"released": True}
    signed = client(reader).post(image + "sign/", {"conclusion": "abnormal"}, format="json")
    assert signed.status_code == 201
    again = client(reader).post(image + "sign/", {"conclusion": "abnormal"}, format="json")
    assert (again.status_code, again.json()) == (200, signed.json())
    late = client(other).post(image + "sign/", {"conclusion": "normal"}, format="json")
    assert (late.status_code, late.json()["code"]) == (409, "signed")
    assert late.json()["extra"]["by"] == "reader"
    for path in (f"{API}findings/{run.findings.all()[0].pk}/reviews/",):
        late = client(reader).post(path, {"verdict": "accept"}, format="json")
        assert (late.status_code, late.json()["code"]) == (409, "signed")
    body = client(other).get(image).json()
    assert body["signature"]["conclusion"] == "abnormal"


def test_verdicts(run: DetectionRun, reader: User) -> None:
    api = client(reader)
    finding = f"{API}findings/{run.findings.all()[0].pk}/reviews/"
    image = f"{API}images/{run.image_id}/reviews/"
    edit = api.post(
        finding, {"verdict": "edit", "label": "pneumonia", "box": [1, 2, 30, 40]}, format="json"
    )
    assert edit.status_code == 201
    assert (edit.json()["label"], edit.json()["box"]) == ("pneumonia", [1.0, 2.0, 30.0, 40.0])
    added = api.post(
        image, {"verdict": "add", "label": "covid", "box": [5, 5, 20, 20]}, format="json"
    )
    assert added.status_code == 201
    assert api.delete(f"{API}reviews/{added.json()['id']}/").status_code == 204
    gone = api.delete(f"{API}reviews/{added.json()['id']}/")
    assert (gone.status_code, gone.json()["code"]) == (409, "withdrawn")
    for address, body in (
        (finding, {"verdict": "edit", "box": [0, 0, 4000, 5]}),
        (finding, {"verdict": "edit", "box": "everything"}),
        (finding, {"verdict": "edit", "box": [[1], 2, 3, 4]}),
        (finding, {"verdict": "add", "label": "covid", "box": [5, 5, 20, 20]}),
        (finding, {}),
        (image, {"verdict": "add", "label": "covid"}),
        (image, {"verdict": "accept"}),
    ):
        refused = api.post(address, body, format="json")
        assert refused.status_code == 400, body
        assert set(refused.json()) == {"code", "message", "extra"}


def test_infinite_boxes_from_json(run: DetectionRun, reader: User) -> None:
    answer = client(reader).generic(
        "POST",
        f"{API}images/{run.image_id}/reviews/",
        '{"verdict": "add", "label": "covid", "box": [0, 0, 1e999, 5]}',
        content_type="application/json",
    )
    assert answer.status_code == 400


def test_versions(version: DetectorVersion, admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "weights_problem", lambda version: None)
    candidate = make_version(VersionState.CANDIDATE)
    api = client(admin)
    body = api.get(API + "detector-versions/").json()
    assert [v["name"] for v in body["results"]] == [version.name, candidate.name]
    address = f"{API}detector-versions/{candidate.pk}/promote/"
    unknown = api.post(address)  # nothing is known of it
    assert (unknown.status_code, unknown.json()["code"]) == (409, "reason_needed")
    assert unknown.json()["extra"] == {"worse": [], "shortest": 20}
    answer = api.post(address, {"reason": "The old one can't read our new machine."}, format="json")
    assert (answer.status_code, answer.json()["state"]) == (200, "active")
    version.refresh_from_db()
    assert version.state == VersionState.RETIRED
    answer = api.post(f"{API}detector-versions/rollback/", {"reason": "too many flags"})
    assert (answer.status_code, answer.json()["name"]) == (200, version.name)
    first, second = api.get(f"{API}detector-versions/promotions/").json()["results"]
    assert (first["version"], first["instead_of"], first["reason"], first["rolled_back"]) == (
        version.name,
        candidate.name,
        "too many flags",
        True,
    )
    assert (second["version"], second["rolled_back"]) == (candidate.name, False)
    long = api.post(f"{API}detector-versions/rollback/", {"reason": "x" * 501})
    assert long.status_code == 400


def test_a_version_without_its_file_is_not_promoted(version: DetectorVersion, admin: User) -> None:
    candidate = make_version(VersionState.CANDIDATE)
    answer = client(admin).post(f"{API}detector-versions/{candidate.pk}/promote/")
    assert (answer.status_code, answer.json()["code"]) == (409, "weights_missing")
