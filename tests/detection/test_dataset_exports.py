"""An admin's export by a worker: the row's life, the zip, the pages and the REST addresses."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import zipfile
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from detection import tasks
from detection.models import DatasetExport, DatasetVersion, DetectorVersion, ExportState
from detection.services import dataset_exports, datasets
from detection.services.dataset_exports import (
    execute_export,
    request_export,
    requeue_lost_exports,
)
from detection.services.datasets import export_dataset
from tests.detection.signed_films import signed_film
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("archive")]


@pytest.fixture
def browser(admin: User) -> Client:
    client = Client()
    client.force_login(admin)
    return client


@pytest.fixture
def api(admin: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(admin)
    return client


@pytest.fixture
def written(old: DetectorVersion, reader: User, admin: User) -> DatasetExport:
    """An export that a worker has ended."""
    signed_film(old, reader)
    export = request_export(name="corrections", user=admin)
    assert execute_export(export_id=export.pk)
    export.refresh_from_db()
    return export


def content(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def test_a_worker_writes_the_zip(written: DatasetExport, admin: User, archive: Path) -> None:
    assert (written.state, written.done, written.total) == (ExportState.DONE, 1, 1)
    assert written.version is not None
    assert written.version.created_by == admin
    path = archive / written.archive
    assert path.stat().st_size == written.archive_bytes
    with zipfile.ZipFile(path) as file:
        names = file.namelist()
        assert file.testzip() is None
        index = file.read("corrections-1/dataset.json")
        assert {i.date_time for i in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert hashlib.sha256(index).hexdigest() == written.version.sha256
    assert len([n for n in names if n.startswith("corrections-1/images/")]) == 1
    assert [p.name for p in path.parent.iterdir()] == [path.name], "only the zip is kept"


def test_the_same_content_again_keeps_one_zip(
    written: DatasetExport, admin: User, archive: Path
) -> None:
    again = request_export(name="corrections", user=admin)
    assert execute_export(export_id=again.pk)
    again.refresh_from_db()
    assert (again.version, again.archive) == (written.version, written.archive)
    assert len(list((archive / "datasets").iterdir())) == 1
    assert not execute_export(export_id=again.pk), "a message that comes twice does nothing"


def test_one_at_a_time(admin: User) -> None:
    first = request_export(name="corrections", user=admin)
    with pytest.raises(ConflictError) as caught:
        request_export(name="other", user=admin)
    assert (caught.value.code, caught.value.extra) == ("export_running", {"export": first.pk})
    with pytest.raises(InvalidInputError):
        request_export(name="../../etc", user=admin)
    assert DatasetExport.objects.get().state == ExportState.QUEUED


def test_the_message_is_sent_at_the_commit(
    admin: User,
    monkeypatch: pytest.MonkeyPatch,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks.export_dataset_task, "delay", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        export = request_export(name="corrections", user=admin)
        assert sent == []
    assert sent == [export.pk]


def test_why_it_failed_is_for_a_person(admin: User, archive: Path) -> None:
    export = request_export(name="corrections", user=admin)
    assert not execute_export(export_id=export.pk)
    export.refresh_from_db()
    assert export.state == ExportState.FAILED
    assert export.message == "Of 0 signed films none has a settled truth; nothing was written."
    assert list((archive / "datasets").iterdir()) == []


def test_a_failure_of_ours_is_in_the_log(
    old: DetectorVersion, reader: User, admin: User, monkeypatch: pytest.MonkeyPatch, archive: Path
) -> None:
    signed_film(old, reader)
    monkeypatch.setattr(datasets, "_write_tables", lambda *_: 1 / 0)
    export = request_export(name="corrections", user=admin)
    assert not execute_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, export.message) == ("failed", dataset_exports.GENERIC_FAILURE)
    assert list((archive / "datasets").iterdir()) == []


def test_a_disk_that_is_full_while_zipping(
    old: DetectorVersion, reader: User, admin: User, monkeypatch: pytest.MonkeyPatch, archive: Path
) -> None:
    signed_film(old, reader)

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dataset_exports.shutil, "copyfileobj", full)
    export = request_export(name="corrections", user=admin)
    assert not execute_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, export.message) == (
        "failed",
        "The disk is full; nothing was kept. Make room and try again.",
    )
    assert list((archive / "datasets").iterdir()) == []


def test_a_worker_that_lost_its_lease_stops_and_spoils_nothing(
    old: DetectorVersion, reader: User, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_film(old, reader)
    export = request_export(name="corrections", user=admin)
    real = datasets._with_picture

    def slow(*arguments: object) -> object:
        DatasetExport.objects.filter(pk=export.pk).update(lease_token="another worker's")
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(datasets, "_with_picture", slow)
    assert not execute_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, export.lease_token) == ("running", "another worker's")
    assert not DatasetVersion.objects.exists()


def test_lost_exports_come_back(
    old: DetectorVersion, reader: User, admin: User, settings: Settings
) -> None:
    signed_film(old, reader)
    export = request_export(name="corrections", user=admin)
    now = timezone.now()
    assert requeue_lost_exports(now=now) == []
    later = now + timedelta(seconds=settings.RUN_RESEND_SECONDS + 1)
    assert requeue_lost_exports(now=later) == [export.pk]
    assert requeue_lost_exports(now=later) == []
    # a worker that died in the middle
    DatasetExport.objects.filter(pk=export.pk).update(
        state="running", lease_token="dead", lease_until=now - timedelta(seconds=1), attempts=1
    )
    assert requeue_lost_exports(now=now) == [export.pk]
    assert execute_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, export.attempts) == ("done", 2)


def test_the_last_attempt_fails(admin: User, settings: Settings, archive: Path) -> None:
    export = request_export(name="corrections", user=admin)
    left = archive / "datasets" / f".export-{export.pk}.partial" / "images"
    left.mkdir(parents=True)
    DatasetExport.objects.filter(pk=export.pk).update(
        state="running", lease_token="dead", lease_until=timezone.now() - timedelta(seconds=1),
        attempts=settings.RUN_MAX_ATTEMPTS,
    )  # fmt: skip
    assert requeue_lost_exports() == []
    export.refresh_from_db()
    assert (export.state, export.lease_token) == ("failed", "")
    assert not left.exists()


def test_the_database_holds_the_states(admin: User) -> None:
    export = request_export(name="corrections", user=admin)
    for change in ({"state": "running"}, {"state": "done"}, {"lease_token": "x"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            DatasetExport.objects.filter(pk=export.pk).update(**change)


# --- download


@pytest.mark.parametrize("address", ["/datasets/{}/download/", "/api/v1/datasets/{}/download/"])
def test_a_download_is_in_each_patients_trail(
    written: DatasetExport, browser: Client, admin: User, archive: Path, address: str
) -> None:
    response = browser.get(
        address.format(written.version_id), headers={"accept": "application/zip"}
    )
    assert response.status_code == 200
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == 'attachment; filename="corrections-1.zip"'
    assert response["Cache-Control"] == "no-store"
    assert content(response) == (archive / written.archive).read_bytes()
    trail = AuditEntry.objects.filter(verb="downloaded")
    assert {e.actor_name for e in trail} == {admin.username}
    image = written.version.items.get().image  # type: ignore[union-attr]
    assert {(e.patient_ref, str(e.detail.get("films"))) for e in trail} == {
        (None, "None"),
        (image.series.study.patient_id, f"[{image.pk}]"),
    }


def test_no_zip(
    old: DetectorVersion, reader: User, browser: Client, api: APIClient, tmp_path: Path
) -> None:
    signed_film(old, reader)
    version = export_dataset(out=tmp_path / "by-command").version
    assert version is not None
    answer = api.get(f"/api/v1/datasets/{version.pk}/download/")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_archive")
    assert api.get(f"/api/v1/datasets/{version.pk}/").json()["downloadable"] is False
    assert "There is no zip of it here" in browser.get(f"/datasets/{version.pk}/").content.decode()
    assert api.get("/api/v1/datasets/99/download/").json()["code"] == "no_such_dataset"
    assert not AuditEntry.objects.filter(verb="downloaded").exists()


# --- REST and pages


def test_rest(old: DetectorVersion, reader: User, api: APIClient, admin: User) -> None:
    signed_film(old, reader)
    made = api.post("/api/v1/datasets/", {"name": "ward-3", "longest_side": 64}, format="json")
    assert (made.status_code, made.json()["state"], made.json()["total"]) == (202, "queued", None)
    busy = api.post("/api/v1/datasets/", {}, format="json")
    assert (busy.status_code, busy.json()["code"]) == (409, "export_running")
    number = made.json()["id"]
    execute_export(export_id=number)
    done = api.get(f"/api/v1/dataset-exports/{number}/").json()
    assert (done["state"], done["done"], done["requested_by"]) == ("done", 1, admin.username)
    listed = api.get("/api/v1/datasets/", {"name": "ward-3"}).json()
    assert listed["count"] == 1
    one = api.get(f"/api/v1/datasets/{done['version']}/").json()
    assert one["downloadable"] is True
    assert one["options"]["longest_side"] == 64
    assert sum(row["films"] for row in one["counts"].values()) == 1
    assert listed["results"][0]["sha256"] == one["sha256"]
    assert api.get("/api/v1/datasets/", {"name": "none"}).json()["count"] == 0


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "../x"}, 400, "bad_dataset_name"),
        ({"name": "=cmd()"}, 400, "bad_dataset_name"),
        ({"longest_side": 1}, 400, "invalid"),
        ({"since": "yesterday"}, 400, "invalid"),
    ],
)
def test_rest_says_what_is_wrong(
    api: APIClient, body: dict[str, object], status: int, code: str
) -> None:
    answer = api.post("/api/v1/datasets/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert not DatasetExport.objects.exists()


def test_the_page_asks_again_only_while_something_is_written(
    old: DetectorVersion, reader: User, browser: Client
) -> None:
    empty = browser.get("/datasets/").content.decode()
    assert "No set has been written yet" in empty
    assert "every 2s" not in empty
    signed_film(old, reader)
    answer = browser.post("/datasets/export/", {"name": "corrections", "since": "2020-01-01"})
    assert answer["Location"] == "/datasets/"
    export = DatasetExport.objects.get()
    assert timezone.localtime(export.since).isoformat() == "2020-01-01T00:00:00+00:00"  # type: ignore[arg-type]
    assert "every 2s" in browser.get("/datasets/body/").content.decode()
    execute_export(export_id=export.pk)
    body = browser.get("/datasets/body/").content.decode()
    assert "every 2s" not in body
    assert f"/datasets/{DatasetVersion.objects.get().pk}/download/" in body


def test_a_version_says_where_it_comes_from(
    old: DetectorVersion, reader: User, written: DatasetExport, browser: Client
) -> None:
    hostile = "<script>alert(1)</script>"
    User.objects.filter(pk=reader.pk).update(display_name=hostile)
    DetectorVersion.objects.filter(pk=old.pk).update(name="<img src=x>")
    page = browser.get(f"/datasets/{written.version_id}/").content.decode()
    assert hostile not in page
    assert "<img src=x>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; (1 film)" in page
    assert "&lt;img src=x&gt; (1 film)" in page
    assert written.version is not None
    assert written.version.sha256 in page
    assert browser.get("/datasets/999999/").status_code == 404


def test_a_form_that_is_wrong(browser: Client) -> None:
    for body in ({}, {"name": "a b"}, {"name": "x", "longest_side": "2"}):
        assert browser.post("/datasets/export/", body).status_code == 400
    assert not DatasetExport.objects.exists()


@pytest.mark.parametrize("role", ["clinician", "engineer"])
def test_only_admins(role: str, written: DatasetExport) -> None:
    client = Client()
    client.force_login(User.objects.create_user(f"a-{role}", role=role))
    for path in (
        "/datasets/", f"/datasets/{written.version_id}/", f"/datasets/{written.version_id}/download/",
        "/api/v1/datasets/", f"/api/v1/datasets/{written.version_id}/download/",
        f"/api/v1/dataset-exports/{written.pk}/",
    ):  # fmt: skip
        assert client.get(path).status_code == 403, path
    assert not AuditEntry.objects.filter(verb="downloaded").exists()


def test_what_trainers_get_is_what_the_command_writes(
    written: DatasetExport, archive: Path, tmp_path: Path
) -> None:
    export_dataset(out=tmp_path / "folder")
    with zipfile.ZipFile(io.BytesIO((archive / written.archive).read_bytes())) as file:
        for path in (p for p in (tmp_path / "folder").rglob("*") if p.is_file()):
            name = f"corrections-1/{path.relative_to(tmp_path / 'folder').as_posix()}"
            assert file.read(name) == path.read_bytes()
        table = json.loads(file.read("corrections-1/dataset.json"))
    assert set(table) == {"format", "longest_side", "annotations"}
