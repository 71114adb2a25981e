"""What a power cut leaves in the archive is put aside, not deleted, and not mistaken."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from imaging.models import Image
from imaging.services import sweep

pytestmark = pytest.mark.django_db
DAY = 24 * 3600


def old_file(archive: Path, relative: str, *, age: float = 2 * DAY) -> Path:
    path = archive / relative
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"film")
    os.utime(path, (time.time() - age,) * 2)
    return path


def a_whole_round() -> int:
    now = time.time()
    return sum(sweep.sweep_orphans(now=now + hour * 3600) for hour in range(64))


@pytest.mark.parametrize("folder", ["images", "quarantine"])
def test_a_file_without_a_row_is_put_aside(archive: Path, folder: str):
    relative = f"{folder}/a7/b2/a7b2ff.dcm"
    lost = old_file(archive, relative)
    assert a_whole_round() == 1
    assert not lost.exists()
    assert (archive / "orphans" / relative).read_bytes() == b"film"
    assert a_whole_round() == 0


def test_files_with_a_row_stay(archive: Path, send):
    image = send().image
    path = archive / image.path
    os.utime(path, (time.time() - 9 * DAY,) * 2)
    assert a_whole_round() == 0
    assert path.exists()
    assert Image.objects.get().path == image.path


def test_a_young_file_may_still_get_its_row(archive: Path, monkeypatch):
    young = old_file(archive, "images/00/00/young.dcm", age=3600)
    monkeypatch.setattr(sweep, "_ORPHAN_TURNS", 1)
    assert sweep.sweep_orphans() == 0
    assert young.exists()


def test_one_sweep_looks_at_a_part(archive: Path):
    for number in range(256):
        old_file(archive, f"images/{number:02x}/00/lost{number}.dcm")
    assert sweep.sweep_orphans(now=time.time()) == 4
    assert a_whole_round() == 252
