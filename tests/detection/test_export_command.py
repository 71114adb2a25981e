"""`manage.py export_dataset`, and the folder that is there whole or not at all."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from accounts.models import AuditEntry, User
from detection.models import DatasetItem, DatasetSplit, DatasetVersion, DetectorVersion
from detection.services import dataset_folder
from detection.services.datasets import export_dataset
from tests.detection.signed_films import signed_film
from tests.processes import Hospital, kill_group, wait_for
from twinhealth.errors import ConflictError, UnavailableError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("archive")]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "sets" / "out"


def test_a_folder_with_something_in_it_is_left_alone(
    old: DetectorVersion, reader: User, out: Path
) -> None:
    signed_film(old, reader)
    out.mkdir(parents=True)
    (out / "notes.txt").write_text("mine")
    with pytest.raises(ConflictError) as caught:
        export_dataset(out=out)
    assert caught.value.code == "folder_not_empty"
    assert [p.name for p in out.iterdir()] == ["notes.txt"]
    assert not DatasetVersion.objects.exists()
    (out / "notes.txt").unlink()
    export_dataset(out=out)
    assert (out / "dataset.json").exists()
    for odd in ("file", "link"):
        path = out.parent / odd
        path.touch() if odd == "file" else path.symlink_to(out.parent / "nowhere")
        with pytest.raises(ConflictError, match="nothing was written"):
            export_dataset(out=path)


def test_two_writers_of_one_folder(old: DetectorVersion, reader: User, out: Path) -> None:
    signed_film(old, reader)

    def second(done: int, total: int) -> None:
        with pytest.raises(ConflictError) as caught:
            export_dataset(out=out)
        assert caught.value.code == "export_running"

    export_dataset(out=out, progress=second)
    assert (out / "dataset.json").exists()
    assert DatasetVersion.objects.count() == 1


@pytest.mark.parametrize("full_at", ["images/", "annotations/", "dataset.json"])
def test_a_full_disk_leaves_nothing(
    old: DetectorVersion, reader: User, out: Path, monkeypatch: pytest.MonkeyPatch, full_at: str
) -> None:
    signed_film(old, reader)
    real = os.fsync

    def fsync(descriptor: int) -> None:
        target = str(Path(f"/proc/self/fd/{descriptor}").readlink())
        if f".out.partial/{full_at}" in target:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(descriptor)

    monkeypatch.setattr(dataset_folder.os, "fsync", fsync)
    with pytest.raises(UnavailableError) as caught:
        export_dataset(out=out)
    assert caught.value.code == "disk_full"
    assert list(out.parent.iterdir()) == []
    assert not DatasetVersion.objects.exists()
    assert not AuditEntry.objects.filter(verb="exported").exists()


def test_nothing_to_export(old: DetectorVersion, reader: User, out: Path) -> None:
    signed_film(old, reader, conclusion="not_readable")
    with pytest.raises(ConflictError) as caught:
        export_dataset(out=out)
    assert (caught.value.code, caught.value.extra) == (
        "nothing_to_export",
        {"left_out": {"not_readable": 1}},
    )
    assert not list(out.parent.iterdir())


# --- the command


def command(*arguments: Any) -> dict[str, Any]:
    text = io.StringIO()
    call_command("export_dataset", "--json", *map(str, arguments), stdout=text)
    found: dict[str, Any] = json.loads(text.getvalue())
    return found


def test_a_dry_run_writes_nothing(old: DetectorVersion, reader: User, out: Path) -> None:
    signed_film(old, reader)
    signed_film(old, reader, conclusion="not_readable")
    dry = command("--dry-run")
    assert (dry["dry_run"], dry["version"], dry["out"]) == (True, None, None)
    assert (dry["left_out"], dry["diff"]) == ({"not_readable": 1}, {"new": 1, "gone": 0})
    for model in (DatasetVersion, DatasetItem, DatasetSplit):
        assert not model.objects.exists()
    assert not AuditEntry.objects.filter(verb="exported").exists()
    real = command("--out", out)
    assert real["counts"] == dry["counts"]


def test_the_command(old: DetectorVersion, reader: User, admin: User, out: Path) -> None:
    signed_film(old, reader)
    report = command("--out", out, "--user", admin.username.upper(), "--since", "2020-01-01")
    version = DatasetVersion.objects.get()
    assert report["version"] == {
        "id": version.pk, "name": "corrections", "number": 1, "sha256": version.sha256, "new": True,
    }  # fmt: skip
    assert report["out"] == str(out)
    assert version.created_by == admin
    assert hashlib.sha256((out / "dataset.json").read_bytes()).hexdigest() == version.sha256
    text = io.StringIO()
    call_command(
        "export_dataset",
        "--out",
        str(out.parent / "b"),
        "--since=2020-01-01T10:00+02:00",
        stdout=text,
    )
    assert "unchanged, still version 1" in text.getvalue()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--out DIR is needed"),
        (["--dry-run", "--since", "yesterday"], "ISO 8601"),
        (["--dry-run", "--since", "2026-13-45"], "ISO 8601"),
        (["--dry-run", "--user", "nobody"], "no_such_user"),
        (["--dry-run"], "nothing_to_export"),
        (["--dry-run", "--name", "../x"], "bad_dataset_name"),
    ],
)
def test_the_command_says_what_is_wrong(arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("export_dataset", *arguments)


@pytest.mark.processes
@pytest.mark.django_db(transaction=True)
def test_a_kill_at_any_moment_leaves_nothing_half(tmp_path: Path) -> None:
    """Killed while it writes, the folder isn't there; the next export finds the place clear."""
    hospital = Hospital(tmp_path / "hospital", environment={"DECODE_PROCESSES": "1"})
    hospital.folder.mkdir()
    out = tmp_path / "out"
    hospital.manage("migrate", "--verbosity", "0")
    hospital.manage("shell", "-v0", "-c", _FILL)
    command = [sys.executable, "manage.py", "export_dataset", "--out", str(out)]
    partial = out.with_name(".out.partial")
    for wanted in (1, 5):  # pictures written when the power goes
        process = hospital.start(f"export-{wanted}", *command)
        wait_for(
            lambda n=wanted: len(list((partial / "images").glob("*.png"))) >= n,
            what=hospital.log(f"export-{wanted}"),
        )
        kill_group(process)
        assert not out.exists()
        assert hospital.query("SELECT count(*) FROM detection_datasetversion") == [(0,)]
    report = json.loads(hospital.manage("export_dataset", "--json", "--out", str(out)))
    assert not partial.exists()
    assert sum(row["films"] for row in report["counts"].values()) == 30
    assert len(list((out / "images").iterdir())) == 30
    # killed after the commit and before the folder had its name: the version is found again
    out.rename(tmp_path / "first")
    again = json.loads(hospital.manage("export_dataset", "--json", "--out", str(out)))
    assert again["version"] == report["version"] | {"new": False}


_FILL = """
from tests.detection.factories import make_user, make_version
from tests.detection.signed_films import signed_film
from imaging.decoding import client
reader, old = make_user(), make_version("retired")
for number in range(30):
    signed_film(old, reader, patient=f"P{number}")
client.close_pool()
"""
