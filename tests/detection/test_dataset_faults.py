"""Exports that meet a full disk, a kill, a taken place."""

from __future__ import annotations

import errno
import fcntl
import io
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError

from detection import dataset_files
from detection.models import DatasetFilm, DatasetVersion, PatientSplit
from detection.services.dataset import export_dataset
from tests.detection.factories import Films
from twinhealth.errors import ConflictError, DomainError, InvalidInputError, UnavailableError

pytestmark = pytest.mark.django_db


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("fault", ["add_film", "add_json", "seal", "publish"])
def test_a_full_disk_leaves_nothing(
    signed_film: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    signed_film()
    signed_film()
    calls = iter([False, True]) if fault in {"add_film", "add_json"} else iter([True])
    real_sync, real_rename = os.fsync, Path.rename
    full = OSError(errno.ENOSPC, "No space left on device")

    def fsync(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        suffix = {"add_film": ".png", "add_json": ".json", "seal": "SUMS"}.get(fault, "-")
        if name.endswith(suffix) and next(calls, True):
            raise full
        real_sync(descriptor)

    def rename(self: Path, target: Path) -> Path:
        if fault == "publish":
            raise full
        return real_rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(UnavailableError) as caught:
        export_dataset(folder=tmp_path / "set")
    assert caught.value.code == "export_failed"
    assert left_in(tmp_path) == []
    # rows come before the name: what was all written has its version, anything less has none
    assert DatasetVersion.objects.count() == (fault == "publish")
    monkeypatch.undo()


def test_a_fault_of_the_database_leaves_nothing(
    signed_film: Films, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_film()

    def broken(*args: Any, **kwargs: Any) -> None:
        raise DatabaseError("gone")

    monkeypatch.setattr(DatasetFilm.objects, "bulk_create", broken)
    with pytest.raises(DatabaseError):
        export_dataset(folder=tmp_path / "set")
    assert left_in(tmp_path) == []
    assert not DatasetVersion.objects.exists()
    assert not PatientSplit.objects.exists()


KILLED = """
import sys, time
from pathlib import Path
import numpy as np
from detection import dataset_files
from imaging.frame import Frame
with dataset_files.new_folder(Path(sys.argv[1])) as out:
    out.add_film("a.png", Frame(np.eye(40, dtype=np.uint8), "MONOCHROME2", 8))
    print("written", flush=True)
    time.sleep(60)
"""


@pytest.mark.processes
def test_a_killed_export_leaves_no_set_and_the_next_one_works(
    signed_film: Films, tmp_path: Path
) -> None:
    signed_film()
    target = tmp_path / "set"
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        with pytest.raises(ConflictError) as caught:
            export_dataset(folder=target)
        assert caught.value.code == "export_running"
        process.send_signal(signal.SIGKILL)
    assert left_in(tmp_path) == [".set.part"]
    export_dataset(folder=target)
    assert left_in(tmp_path) == ["set"]
    assert len(left_in(target / "images")) == 1


def test_an_export_that_ends_takes_nothing_of_the_next_one(tmp_path: Path) -> None:
    """The next one makes its folder between the rename and the clean-up of the one before."""
    target = tmp_path / "set"
    with dataset_files.new_folder(target) as out:
        out.seal()
        out.publish()
        target.rename(tmp_path / "taken-away")
        second = dataset_files.new_folder(target)
        other = second.__enter__()
    assert left_in(tmp_path) == [".set.part", "taken-away"], "the next one's folder is there"
    other.seal()
    other.publish()
    second.__exit__(None, None, None)
    assert left_in(tmp_path) == ["set", "taken-away"]


@pytest.mark.parametrize("ending", ["published", "given up"])
def test_a_lock_on_a_folder_that_lost_its_name_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str
) -> None:
    """One exporter ends between another's opening the folder and locking it."""
    target = tmp_path / "set"
    first = dataset_files.new_folder(target)
    out = first.__enter__()
    real = fcntl.flock

    def late(descriptor: int, operation: int) -> None:
        monkeypatch.undo()
        if ending == "published":
            out.seal()
            out.publish()
        first.__exit__(None, None, None)
        (tmp_path / ".set.part").mkdir()  # a third one has the name by now
        (tmp_path / ".set.part" / "theirs").write_text("x")
        real(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", late)
    with pytest.raises(ConflictError) as caught, dataset_files.new_folder(target):
        pass
    assert caught.value.code == "export_running"
    assert (tmp_path / ".set.part" / "theirs").exists()
    assert target.exists() == (ending == "published")


def test_a_disk_that_is_full_at_the_first_folder_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.mkdir

    def mkdir(self: Path, *arguments: Any, **more: Any) -> None:
        if self.name == dataset_files.IMAGES:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(self, *arguments, **more)

    monkeypatch.setattr(Path, "mkdir", mkdir)
    with pytest.raises(UnavailableError), dataset_files.new_folder(tmp_path / "set"):
        pass
    assert left_in(tmp_path) == []


def test_what_is_there_is_not_written_over(signed_film: Films, tmp_path: Path) -> None:
    signed_film()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("x")
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    for name in ("full", "file", "link"):
        with pytest.raises(InvalidInputError) as caught:
            export_dataset(folder=tmp_path / name)
        assert caught.value.code == "folder_not_empty"
    (tmp_path / "empty").mkdir()
    export_dataset(folder=tmp_path / "empty")
    assert "annotations.json" in left_in(tmp_path / "empty")


@pytest.mark.parametrize("name", ["", "Site", "../x", "a" * 65])
def test_a_bad_name_is_refused(signed_film: Films, tmp_path: Path, name: str) -> None:
    with pytest.raises(DomainError) as caught:
        export_dataset(folder=tmp_path / "set", name=name)
    assert caught.value.code == "bad_name"


def test_the_command_counts_writes_and_says_so(signed_film: Films, tmp_path: Path) -> None:
    signed_film()
    signed_film(conclusion="not_readable")
    target = tmp_path / "set"

    def run(*more: str) -> str:
        out = io.StringIO()
        call_command("export_dataset", f"--out={target}", *more, stdout=out)
        return out.getvalue()

    dry = json.loads(run("--dry-run", "--json"))
    assert dry["version"] is None
    assert not target.exists()
    assert not PatientSplit.objects.exists()
    done = json.loads(run("--json"))
    assert done["counts"] == dry["counts"]
    assert done["version"]["created"]
    assert done["version"]["number"] == 1
    with pytest.raises(CommandError, match="folder_not_empty"):
        run()
    out = io.StringIO()
    call_command("export_dataset", f"--out={tmp_path / 'again'}", stdout=out)
    assert "the same content as before" in out.getvalue()
    assert "films left out: not_readable 1" in out.getvalue()


def test_an_empty_hospital_has_nothing_to_export(tmp_path: Path, db: None) -> None:
    with pytest.raises(CommandError, match="nothing_to_export"):
        call_command("export_dataset", f"--out={tmp_path / 'set'}")
    assert left_in(tmp_path) == []
