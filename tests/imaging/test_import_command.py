"""`manage.py import_images`."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest
from django.core.management import call_command

from imaging.models import Image, Intake

from .factories import make_dicom, make_picture
from .test_zips import make_zip

pytestmark = pytest.mark.django_db


@pytest.fixture
def run():
    def call(*args: object) -> tuple[str, int]:
        out = io.StringIO()
        code = 0
        try:
            call_command("import_images", *[str(a) for a in args], stdout=out)
        except SystemExit as stop:
            code = int(stop.code or 0)
        return out.getvalue(), code

    return call


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "films"
    (made / "sub").mkdir(parents=True)
    (made / "a.dcm").write_bytes(make_dicom())
    (made / "sub" / "b").write_bytes(make_dicom())
    (made / ".DS_Store").write_bytes(b"x")
    (made / "DICOMDIR").write_bytes(b"x")
    return made


def test_a_folder(run, folder):
    text, code = run(folder)
    assert code == 0
    assert "2 of 2 files are in the archive" in text
    assert Image.objects.count() == 2
    assert set(Intake.objects.values_list("door", flat=True)) == {"command"}
    assert Intake.objects.values("batch").distinct().count() == 1
    text, code = run(folder)
    assert code == 0
    assert text.count("duplicate") == 2


def test_one_json_object_per_file(run, folder, tmp_path):
    (folder / "z.txt").write_bytes(b"hello")
    (tmp_path / "all.zip").write_bytes(make_zip({"c.dcm": make_dicom(), "d.txt": b"x"}))
    text, code = run(folder, tmp_path / "all.zip", tmp_path / "missing", "--json")
    rows = [json.loads(line) for line in text.splitlines()]
    assert code == 1
    assert [r["error"]["code"] if "error" in r else r["duplicate"] for r in rows] == [
        False,
        "unknown_format",
        False,
        False,
        "unknown_format",
        "unreadable",
    ]
    assert rows[0]["file"] == str(folder / "a.dcm")
    assert rows[3]["file"].endswith("all.zip/c.dcm")
    assert rows[0]["id"] in Image.objects.values_list("pk", flat=True)


def test_pictures_need_their_form(run, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(make_picture())
    text, code = run(path)
    assert code == 1
    assert "patient_id_missing" in text
    text, code = run(
        path,
        "--patient-id",
        "P4",
        "--device",
        "XR-4",
        "--view",
        "PA",
        "--acquired-at",
        "2025-03-04T10:00Z",
    )
    assert code == 0
    image = Image.objects.get()
    assert image.series.study.patient.identifier == "P4"
    assert image.acquired_at.isoformat() == "2025-03-04T10:00:00+00:00"


def test_an_empty_folder_is_a_failure(run, tmp_path):
    text, code = run(tmp_path)
    assert code == 1
    assert "0 of 0" in text


def test_a_contested_film_is_a_failure_too(run, tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(make_dicom(sop_uid="1.2.3"))
    text, code = run(tmp_path, "--json")
    assert code == 1
    assert json.loads(text.splitlines()[1])["error"]["code"] == "sop_uid_conflict"


def test_a_pipe_doesnt_hang_it(run, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    text, code = run(tmp_path / "pipe")
    assert code == 1
    assert "unreadable" in text
