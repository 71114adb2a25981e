"""An admin's export by a worker: the row's life and the zip."""

from __future__ import annotations

import errno
import hashlib
import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection import dataset_archive, dataset_files, tasks
from detection.models import DatasetExport, DatasetVersion, ExportState
from detection.services import dataset, dataset_exports
from detection.services.dataset import export_dataset
from detection.services.dataset_exports import (
    execute_export,
    request_export,
    requeue_lost_exports,
)
from tests.detection.factories import Films
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kept")]


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_worker_writes_the_zip(written: DatasetExport, admin: User, kept: Path) -> None:
    assert (written.state, written.done, written.total) == (ExportState.DONE, 1, 1)
    assert written.version is not None
    assert written.version.created_by == admin
    assert left_in(kept) == ["site-1.zip"], "only the zip is kept"
    path = kept / written.archive
    assert path.stat().st_size == written.archive_bytes
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        names = file.namelist()
        annotations = file.read("site-1/annotations.json")
        assert {i.date_time for i in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    assert hashlib.sha256(annotations).hexdigest() == written.version.sha256
    assert len([n for n in names if n.startswith("site-1/images/")]) == 1


def test_the_zip_holds_what_the_command_writes(
    written: DatasetExport, kept: Path, tmp_path: Path
) -> None:
    export_dataset(folder=tmp_path / "folder")
    with zipfile.ZipFile(kept / written.archive) as file:
        here = {p for p in (tmp_path / "folder").rglob("*") if p.is_file()}
        named = {f"site-1/{p.relative_to(tmp_path / 'folder').as_posix()}": p for p in here}
        assert set(file.namelist()) == set(named)
        assert all(file.read(name) == path.read_bytes() for name, path in named.items())


def test_the_same_content_again_keeps_one_zip(
    written: DatasetExport, admin: User, kept: Path
) -> None:
    before = (kept / written.archive).stat().st_mtime_ns
    again = request_export(user=admin)
    assert execute_export(export_id=again.pk)
    again.refresh_from_db()
    assert (again.version, again.archive) == (written.version, written.archive)
    assert (kept / written.archive).stat().st_mtime_ns == before
    assert left_in(kept) == ["site-1.zip"]
    assert not execute_export(export_id=again.pk), "a message that comes twice does nothing"
    assert DatasetVersion.objects.count() == 1


def test_a_removed_zip_is_made_again(written: DatasetExport, admin: User, kept: Path) -> None:
    (kept / written.archive).unlink()
    again = request_export(user=admin)
    assert execute_export(export_id=again.pk)
    again.refresh_from_db()
    assert again.version == written.version
    assert left_in(kept) == ["site-1.zip"]


def test_one_at_a_time(admin: User) -> None:
    request_export(user=admin)
    with pytest.raises(ConflictError) as caught:
        request_export(name="other", user=admin)
    assert caught.value.code == "export_running"
    assert DatasetExport.objects.get().state == ExportState.QUEUED
    assert AuditEntry.objects.filter(verb="requested").count() == 1


@pytest.mark.parametrize("name", ["../../etc", "", "=cmd()", "a" * 65])
def test_a_bad_name_is_refused_before_a_worker_sees_it(admin: User, name: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        request_export(name=name, user=admin)
    assert caught.value.code == "bad_name"
    assert not DatasetExport.objects.exists()


def test_the_message_is_sent_at_the_commit(
    admin: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    sent: list[int] = []
    monkeypatch.setattr(tasks.export_dataset_task, "delay", sent.append)
    with django_capture_on_commit_callbacks(execute=True):
        export = request_export(user=admin)
        assert sent == []
    assert sent == [export.pk]


def test_why_it_failed_is_for_a_person(admin: User, browser: Client, kept: Path) -> None:
    export = request_export(user=admin)
    assert not execute_export(export_id=export.pk)
    export.refresh_from_db()
    assert export.state == ExportState.FAILED
    assert export.message == "No signed film can be exported yet."
    assert left_in(kept) == []
    assert export.message in browser.get("/datasets/").content.decode()


def test_a_failure_of_ours_is_in_the_log(
    signed_film: Films, admin: User, monkeypatch: pytest.MonkeyPatch, kept: Path
) -> None:
    signed_film()
    monkeypatch.setattr(dataset, "coco", lambda *_: 1 / 0)
    export = request_export(user=admin)
    assert not execute_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, export.message) == ("failed", dataset_exports.GENERIC_FAILURE)
    assert left_in(kept) == []


def test_a_disk_that_is_full_while_zipping(
    signed_film: Films, admin: User, monkeypatch: pytest.MonkeyPatch, kept: Path
) -> None:
    signed_film()

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(dataset_archive.shutil, "copyfileobj", full)
    export = request_export(user=admin)
    assert not execute_export(export_id=export.pk)
    export.refresh_from_db()
    assert export.state == "failed"
    assert "No space left on device" in export.message
    assert left_in(kept) == []


def test_a_worker_that_lost_its_lease_stops_and_spoils_nothing(
    signed_film: Films, admin: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_film()
    monkeypatch.setattr(dataset_exports, "_RENEW_SECONDS", 0.0)
    export = request_export(user=admin)
    real = dataset_files.Folder.add_film

    def slow(*arguments: Any) -> str:
        DatasetExport.objects.filter(pk=export.pk).update(lease_token="another worker's")
        return real(*arguments)

    monkeypatch.setattr(dataset_files.Folder, "add_film", slow)
    assert not execute_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, export.lease_token) == ("running", "another worker's")
    assert not DatasetVersion.objects.exists()


def test_a_worker_that_lost_its_lease_while_zipping_gives_no_zip_its_name(
    signed_film: Films, admin: User, monkeypatch: pytest.MonkeyPatch, kept: Path
) -> None:
    signed_film()
    monkeypatch.setattr(dataset_exports, "_RENEW_SECONDS", 0.0)
    export = request_export(user=admin)
    real = dataset_archive._add

    def slow(*arguments: Any) -> None:
        DatasetExport.objects.filter(pk=export.pk).update(lease_token="another worker's")
        real(*arguments)

    monkeypatch.setattr(dataset_archive, "_add", slow)
    assert not execute_export(export_id=export.pk)
    assert left_in(kept) == [f"export-{export.pk}"], "which the other worker clears away"


def test_lost_exports_come_back(signed_film: Films, admin: User, settings: Any) -> None:
    signed_film()
    export = request_export(user=admin)
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


def test_what_a_killed_worker_left_is_cleared_and_nothing_is_doubled(
    signed_film: Films, admin: User, kept: Path
) -> None:
    """Killed after the set had its row and its folder, while the zip was being written."""
    signed_film()
    export = request_export(user=admin)
    export_dataset(folder=kept / f"export-{export.pk}", user=admin)
    (kept / f".export-{export.pk}.dead.zip.part").write_bytes(b"PK half")
    DatasetExport.objects.filter(pk=export.pk).update(
        state="running", lease_token="dead", attempts=1,
        lease_until=timezone.now() - timedelta(seconds=1),
    )  # fmt: skip
    assert requeue_lost_exports() == [export.pk]
    assert execute_export(export_id=export.pk)
    assert left_in(kept) == ["site-1.zip"]
    assert DatasetVersion.objects.count() == 1


def test_the_last_attempt_fails(admin: User, settings: Any, kept: Path) -> None:
    export = request_export(user=admin)
    left = kept / f".export-{export.pk}.part" / "images"
    left.mkdir(parents=True)
    DatasetExport.objects.filter(pk=export.pk).update(
        state="running", lease_token="dead", lease_until=timezone.now() - timedelta(seconds=1),
        attempts=settings.RUN_MAX_ATTEMPTS,
    )  # fmt: skip
    assert requeue_lost_exports() == []
    export.refresh_from_db()
    assert (export.state, export.lease_token) == ("failed", "")
    assert left_in(kept) == []
    request_export(user=admin)  # the way is free


def test_the_database_holds_the_states(admin: User) -> None:
    export = request_export(user=admin)
    for change in ({"state": "running"}, {"state": "done"}, {"lease_token": "x"}):
        with pytest.raises(DatabaseError), transaction.atomic():
            DatasetExport.objects.filter(pk=export.pk).update(**change)
