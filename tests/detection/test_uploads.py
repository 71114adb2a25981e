"""Weights that somebody sends: data until a worker has looked at them, and never code."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import torch
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection import tasks
from detection.detectors import weights_file
from detection.manifest import Manifest
from detection.models import DetectorVersion, EvidenceSet, WeightsUpload
from detection.services import engine, weights_check
from detection.services.versions import register_version
from detection.services.which import active_version
from tests.detection.evidence_rows import report
from tests.detection.factories import make_version
from tests.detectors.conftest import ACTIVE
from tests.detectors.test_weights_file import META, STATE, Exploit
from twinhealth.errors import InvalidInputError, UnavailableError

pytestmark = pytest.mark.django_db
ADDRESS = "/api/v1/detector-versions/uploads/"


@pytest.fixture(autouse=True)
def media(settings: Any, tmp_path: Path) -> Path:
    settings.MEDIA_ROOT = tmp_path / "media"
    return settings.MEDIA_ROOT / "weights"


@pytest.fixture
def api(admin: User, version: DetectorVersion) -> Client:
    client = Client()
    client.force_login(admin)
    return client


def manifest_for(content: bytes, **fields: Any) -> dict[str, Any]:
    return {
        "name": "sent",
        "file": "sent.pth",
        "sha256": hashlib.sha256(content).hexdigest(),
        "config": "light",
        "classes": ["covid", "pneumonia", "normal"],
        "thresholds": {"covid": 0.5, "pneumonia": 0.5, "normal": 0.5},
        "image_size": 384,
        "training": {},
        "metrics": {},
        **fields,
    }


def send(
    api: Client, content: bytes, address: str = ADDRESS, proof: Any = None, **fields: Any
) -> Any:
    form = {
        "weights": SimpleUploadedFile("mine.pth", content),
        "manifest": SimpleUploadedFile(
            "mine.json", json.dumps(manifest_for(content, **fields)).encode()
        ),
    }
    if proof is not None:
        form["evidence"] = SimpleUploadedFile("e.json", json.dumps(proof).encode())
    return api.post(address, form)


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def saved(state: Any = STATE, meta: Any = META) -> bytes:
    buffer = io.BytesIO()
    torch.save({"state_dict": state, "meta": meta.as_dict()}, buffer)
    return buffer.getvalue()


def test_a_file_is_stored_and_waits_for_a_worker(api: Client, media: Path) -> None:
    answer = send(api, b"some bytes")
    assert answer.status_code == 202
    body = answer.json()
    assert (body["state"], body["name"], body["size"], body["version"]) == (
        "uploaded",
        "sent",
        10,
        None,
    )
    assert DetectorVersion.objects.count() == 1  # not a version yet
    (path,) = files(media)
    assert path.read_bytes() == b"some bytes"
    assert "mine" not in path.name  # a name of ours
    again = api.get(f"{ADDRESS}{body['id']}/")
    assert again.json() == body
    assert AuditEntry.objects.filter(verb="uploaded_weights").count() == 1


@pytest.mark.parametrize(
    ("fields", "status", "code"),
    [
        ({"sha256": "0" * 64}, 400, "weights_wrong_hash"),
        ({"sha256": "no hash"}, 400, "manifest_invalid"),
        ({"name": "n" * 65}, 400, "manifest_invalid"),
        ({"name": "a\u0000b"}, 400, "manifest_invalid"),
        ({"name": "\ud800"}, 400, "manifest_invalid"),
        ({"metrics": {"ap": float("nan")}}, 400, "manifest_invalid"),
        ({"thresholds": {"covid": 0.5}}, 400, "manifest_invalid"),
        ({"file": "../../sent.pth"}, 400, "manifest_invalid"),
        ({"temperature": 0}, 400, "manifest_invalid"),
    ],
)
def test_what_the_door_refuses(
    api: Client, media: Path, fields: dict[str, Any], status: int, code: str
) -> None:
    answer = send(api, b"some bytes", **fields)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert files(media.parent) == []
    assert not WeightsUpload.objects.exists()


def test_missing_parts_and_caps(api: Client, media: Path, settings: Any) -> None:
    answer = api.post(ADDRESS, {"weights": SimpleUploadedFile("a.pth", b"a")})
    assert (answer.status_code, answer.json()["code"]) == (400, "file_missing")
    settings.MAX_WEIGHTS_BYTES = 5
    answer = send(api, b"some bytes")
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")
    assert send(api, b"").json()["code"] == "empty_file"
    assert files(media.parent) == []


def test_what_is_known_or_being_checked_is_not_taken_again(
    api: Client, version: DetectorVersion, media: Path
) -> None:
    assert send(api, b"one").status_code == 202
    again = send(api, b"one")
    assert (again.status_code, again.json()["code"]) == (409, "upload_checking")
    assert len(files(media)) == 1
    assert send(api, b"two", name=version.name).json()["code"] == "version_name_taken"
    make_version("candidate", weights_sha256=hashlib.sha256(b"three").hexdigest())
    assert send(api, b"three").json()["code"] == "version_known"


def test_the_page_takes_the_form_and_says_what_became_of_it(api: Client) -> None:
    answer = send(api, b"some bytes", "/models/upload/")
    assert (answer.status_code, answer["Location"]) == (302, "/models/")
    html = api.get("/models/").content.decode()
    assert "waits for its check" in html
    assert 'hx-get="/models/uploads/"' in html  # asks again
    WeightsUpload.objects.update(
        state="refused", finished_at=timezone.now(), code="x", message="It wants to run code."
    )
    html = api.get("/models/uploads/").content.decode()
    assert "It wants to run code." in html
    assert "hx-get" not in html


def test_only_admins_send_weights(reader: User, engineer: User) -> None:
    for user in (reader, engineer):
        client = Client()
        client.force_login(user)
        for address in (ADDRESS, "/models/upload/"):
            assert send(client, b"some bytes", address).status_code == 403
    assert not WeightsUpload.objects.exists()


# --- the worker's look at it


def checked(api: Client, content: bytes, **fields: Any) -> WeightsUpload:
    answer = send(api, content, **fields)
    assert answer.status_code == 202, answer.content
    weights_check.check_upload(upload_id=answer.json()["id"])
    return WeightsUpload.objects.get(pk=answer.json()["id"])


@pytest.mark.model
def test_good_weights_become_a_candidate_with_their_evidence(
    api: Client, admin: User, version: DetectorVersion, media: Path
) -> None:
    content = ACTIVE.read_bytes()
    table = json.loads(ACTIVE.with_suffix(".json").read_text())
    twin = DetectorVersion(name="sent", weights_sha256=table["sha256"])
    upload = checked(api, content, **table, proof=report(twin, 0.6))
    assert (upload.state, upload.message) == ("accepted", "")
    made = upload.version
    assert made is not None
    assert (made.state, made.registered_by, made.uploaded) == ("candidate", admin, True)
    assert made.thresholds == table["thresholds"]
    assert EvidenceSet.objects.get().version == made
    assert engine.weights_path(made).read_bytes() == content
    assert active_version() == version
    assert weights_check.check_upload(upload_id=upload.pk) is None  # a message twice


@pytest.mark.model
def test_files_that_are_no_weights_leave_a_sentence_and_nothing_else(
    api: Client, version: DetectorVersion, media: Path, tmp_path: Path
) -> None:
    touched = tmp_path / "touched"
    buffer = io.BytesIO()
    torch.save({"state_dict": {"a": Exploit(touched)}, "meta": META.as_dict()}, buffer)
    malicious = buffer.getvalue()
    cases = {
        "weights_unsafe": malicious,
        "weights_damaged": saved()[:-100],
        "weights_wrong_keys": saved(),
        "weights_not_finite": saved({"a": torch.tensor([float("nan")])}),
        "weights_wrong_classes": saved(meta=_other_classes()),
        "config_unknown": saved(meta=_other_config()),
    }
    for code, content in cases.items():
        upload = checked(api, content)
        assert (upload.state, upload.code) == ("refused", code), upload.message
        assert "sent.pth" in upload.message or code == "config_unknown"
        assert upload.path == ""
        assert files(media.parent) == []
    assert not touched.exists()
    assert DetectorVersion.objects.get() == version == active_version()
    assert AuditEntry.objects.filter(verb="refused_weights").count() == len(cases)
    # the same file may be sent again, when its maker has put it right
    assert checked(api, malicious).code == "weights_unsafe"


def _other_classes() -> weights_file.Meta:
    return dataclasses.replace(META, classes=("cat", "dog"))


def _other_config() -> weights_file.Meta:
    return dataclasses.replace(META, config="../../etc/passwd")


@pytest.mark.model
def test_a_manifest_that_tells_another_story_is_refused(api: Client, media: Path) -> None:
    content = ACTIVE.read_bytes()
    table = json.loads(ACTIVE.with_suffix(".json").read_text()) | {"image_size": 512}
    upload = checked(api, content, **table)
    assert (upload.state, upload.code) == ("refused", "manifest_differs")
    assert files(media.parent) == []


@pytest.mark.model
def test_evidence_of_other_weights_refuses_the_whole_upload(api: Client, media: Path) -> None:
    wrong = report(DetectorVersion(name="sent", weights_sha256="0" * 64), 0.6)
    table = json.loads(ACTIVE.with_suffix(".json").read_text())
    upload = checked(api, ACTIVE.read_bytes(), **table, proof=wrong)
    assert (upload.state, upload.code) == ("refused", "report_of_another_version")
    assert DetectorVersion.objects.count() == 1
    assert files(media.parent) == []


@pytest.fixture
def dying(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker that is killed by the file."""

    def dies(upload: WeightsUpload) -> None:
        raise SystemExit  # no except clause of the service sees it

    monkeypatch.setattr(weights_check, "_looked_at", dies)


def test_a_worker_that_dies_of_the_file_is_followed_by_one_more_try(
    api: Client, version: DetectorVersion, media: Path, dying: None
) -> None:
    upload = WeightsUpload.objects.get(pk=send(api, b"bomb").json()["id"])
    later = timezone.now() + timedelta(hours=1)
    for again in ([upload.pk], []):
        with pytest.raises(SystemExit):
            weights_check.check_upload(upload_id=upload.pk)
        assert weights_check.check_upload(upload_id=upload.pk) is None  # the lease holds
        assert weights_check.requeue_lost_uploads() == []
        assert weights_check.requeue_lost_uploads(now=later) == again
    upload.refresh_from_db()
    assert (upload.state, upload.code) == ("refused", "check_died")
    assert files(media.parent) == []
    assert active_version() == version


def test_a_worker_that_comes_too_late_changes_nothing(
    api: Client, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = WeightsUpload.objects.get(pk=send(api, b"slow").json()["id"])

    def overtaken(row: WeightsUpload) -> None:
        WeightsUpload.objects.update(lease_token="another")
        raise InvalidInputError("weights_damaged", "Broken.")

    monkeypatch.setattr(weights_check, "_looked_at", overtaken)
    assert weights_check.check_upload(upload_id=upload.pk) is None
    upload.refresh_from_db()
    assert (upload.state, upload.code) == ("checking", "")
    assert len(files(media)) == 1


def test_what_is_not_the_files_fault_does_not_refuse_it(
    api: Client, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(upload: WeightsUpload) -> None:
        raise UnavailableError("detector_no_device", "No GPU.")

    monkeypatch.setattr(weights_check, "_looked_at", away)
    upload = checked(api, b"some bytes")
    assert (upload.state, upload.attempts, upload.lease_until) == ("uploaded", 0, None)
    assert len(files(media)) == 1
    assert weights_check.requeue_lost_uploads() == []
    later = timezone.now() + timedelta(hours=1)
    assert weights_check.requeue_lost_uploads(now=later) == [upload.pk]
    assert weights_check.requeue_lost_uploads(now=later) == []  # sent once


def test_files_that_a_refusal_left_are_removed_later(
    api: Client, media: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: str) -> None:
        raise SystemExit

    with monkeypatch.context() as patch:
        patch.setattr(weights_check.storage, "remove", full)
        patch.setattr(weights_check, "_looked_at", _refused)
        upload = WeightsUpload.objects.get(pk=send(api, b"some bytes").json()["id"])
        with pytest.raises(SystemExit):
            weights_check.check_upload(upload_id=upload.pk)
    assert len(files(media)) == 1
    tasks.requeue_lost_uploads_task()
    assert files(media.parent) == []


def test_removed_files_are_counted(api: Client, media: Path) -> None:
    upload = WeightsUpload.objects.get(pk=send(api, b"some bytes").json()["id"])
    WeightsUpload.objects.filter(pk=upload.pk).update(
        state="refused", finished_at=timezone.now(), code="x", message="why"
    )
    assert [weights_check.remove_refused_files() for _ in range(2)] == [1, 0]
    assert files(media.parent) == []


def _refused(upload: WeightsUpload) -> None:
    raise InvalidInputError("weights_damaged", "Broken.")


@pytest.mark.parametrize(
    "changes",
    [
        {"state": "checking"},
        {"state": "accepted", "finished_at": timezone.now()},
        {"state": "refused", "finished_at": timezone.now()},
        {"state": "refused", "code": "x", "message": "why"},
        {"lease_token": "mine"},
    ],
)
def test_the_database_refuses_half_states(api: Client, changes: dict[str, Any]) -> None:
    number = send(api, b"some bytes").json()["id"]
    with pytest.raises(IntegrityError), transaction.atomic():
        WeightsUpload.objects.filter(pk=number).update(**changes)


def test_the_web_process_takes_weights_without_torch() -> None:
    """What the door imports does not bring torch in."""
    code = (
        "import django, sys; django.setup(); import detection.api_uploads, detection.views_models;"
        "print(sorted({'torch', 'mmdet', 'mmcv', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=django_settings.BASE_DIR,
        env={"PATH": "", "DJANGO_SETTINGS_MODULE": "twinhealth.settings.testing"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_uploaded_weights_lie_below_the_media_folder(settings: Any, tmp_path: Path) -> None:
    settings.MEDIA_ROOT = tmp_path
    manifest = Manifest("sent", "a.pth", "a" * 64, "light", ("covid",), {"covid": 0.5}, 384)
    version = register_version(manifest, uploaded_to="weights/ab/cd/x.pth")
    assert version.uploaded
    assert engine.weights_path(version) == tmp_path / "weights/ab/cd/x.pth"
