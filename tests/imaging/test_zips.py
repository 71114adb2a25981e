"""Zips at a door: each member a file of its own, and no bomb goes off."""

from __future__ import annotations

import io
import struct
import zipfile

import pytest

from imaging.models import Image, Intake
from imaging.services.zips import receive_zip

from .factories import make_dicom, make_picture

pytestmark = pytest.mark.django_db


def make_zip(members: dict[str, bytes], method=zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


@pytest.fixture
def receive(clinician):
    def run(data: bytes, **fields: str):
        return list(
            receive_zip(
                source=io.BytesIO(data),
                filename="films.zip",
                fields=fields,
                door="browser",
                actor=clinician,
            )
        )

    return run


def codes(received) -> list[str]:
    return [item.error.code if item.error else "ok" for item in received]


def test_every_member_is_a_file_of_its_own(receive, clinician):
    film = make_dicom()
    data = make_zip(
        {
            "a/1.dcm": film,
            "a/copy.dcm": film,
            "a/notes.txt": b"hello",
            "a/empty.dcm": b"",
            "picture.png": make_picture(),
            "a/": b"",
            ".hidden": b"x",
            "__MACOSX/a/._1.dcm": b"x",
            "DICOMDIR": b"x",
        }
    )
    received = receive(data, batch="b-7", patient_id="P9", device="XR-9")
    assert codes(received) == ["ok", "ok", "unknown_format", "empty_file", "ok"]
    assert received[1].result.duplicate
    assert received[0].filename == "films.zip/a/1.dcm"
    assert Image.objects.count() == 2
    rows = Intake.objects.order_by("pk")
    assert [r.outcome for r in rows] == ["stored", "duplicate", "refused", "refused", "stored"]
    assert {(r.batch, r.by) for r in rows} == {("b-7", clinician)}


@pytest.mark.parametrize(
    "name", ["../../../etc/passwd", "/etc/passwd", "..\\..\\windows\\x", "C:\\x", "a/../../x"]
)
def test_zip_slip(receive, archive, tmp_path, name):
    before = sorted(p for p in tmp_path.rglob("*") if archive not in p.parents)
    received = receive(make_zip({name: make_dicom()}))
    assert codes(received) == ["ok"]
    image = Image.objects.get()
    assert image.path.startswith("images/")
    after = sorted(p for p in tmp_path.rglob("*") if archive not in p.parents)
    assert [p for p in after if p != archive] == [p for p in before if p != archive]


def test_nested_zips_are_refused(receive, kept):
    received = receive(make_zip({"inner.zip": make_zip({"1.dcm": make_dicom()})}))
    assert codes(received) == ["nested_zip"]
    assert kept() == []
    assert Intake.objects.get().code == "nested_zip"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"PK\x03\x04" + b"\0" * 50, "zip_damaged"),
        (make_zip({"1.dcm": make_dicom()})[:-30], "zip_damaged"),
        (make_zip({}), "zip_empty"),
        (make_zip({"folder/": b""}), "zip_empty"),
        (make_zip({"1.dcm": make_dicom()}, zipfile.ZIP_LZMA), "zip_method"),
    ],
)
def test_a_bad_zip_is_refused_as_a_whole(receive, kept, data, code):
    received = receive(data)
    assert codes(received) == [code]
    assert kept() == []
    assert Intake.objects.get().code == code


def test_too_many_members(receive, settings):
    settings.MAX_ZIP_FILES = 3
    assert codes(receive(make_zip({f"{n}": b"x" for n in range(4)}))) == ["zip_too_many_files"]
    # far too many are refused before a list of them is made
    assert codes(receive(make_zip({f"{n}": b"x" for n in range(9)}))) == ["zip_too_many_files"]


def test_a_directory_that_lies_about_its_count(receive, settings):
    settings.MAX_ZIP_FILES = 3
    data = bytearray(make_zip({f"{n}" * 500: b"x" for n in range(9)}))
    struct.pack_into("<HH", data, len(data) - 14, 1, 1)
    assert codes(receive(bytes(data))) == ["zip_too_many_files"]


def test_a_bomb_by_ratio(receive, kept):
    data = make_zip({"zeros": b"\0" * 5_000_000})
    assert len(data) < 10_000
    assert codes(receive(data)) == ["zip_too_large"]
    assert kept() == []


def test_a_bomb_by_total_size(receive, settings):
    settings.MAX_ZIP_BYTES = 10_000
    films = {f"{n}": make_dicom() for n in range(3)}
    assert codes(receive(make_zip(films))) == ["zip_too_large"]


def test_a_member_beyond_the_file_cap(receive, settings, kept):
    settings.MAX_UPLOAD_BYTES = 8_000
    films = {"big": make_dicom(rows=100, columns=100), "small": make_dicom()}
    assert codes(receive(make_zip(films))) == ["file_too_large", "ok"]
    assert kept() == ["images"]


def test_a_member_that_lies_about_its_size(receive, kept):
    """The directory says less than the stream holds: no more than said is unpacked."""
    data = bytearray(make_zip({"x": make_dicom()}))
    at = data.rindex(b"PK\x01\x02")
    struct.pack_into("<I", data, at + 24, 1000)
    received = receive(bytes(data))
    assert codes(received)[0] in {"unreadable", "zip_damaged", "truncated", "bad_header"}
    assert kept() == []


def test_a_damaged_member_doesnt_stop_the_others(receive):
    data = bytearray(make_zip({"a": make_dicom(), "b": make_dicom()}, zipfile.ZIP_STORED))
    at = data.index(b"DICM") + 600
    data[at : at + 4] = b"\xff\xff\xff\xff"
    found = codes(receive(bytes(data)))
    assert found[0] != "ok"
    assert found[1] == "ok"


def test_a_password(receive):
    data = bytearray(make_zip({"x": make_dicom()}))
    at = data.rindex(b"PK\x01\x02")
    data[at + 8] |= 1
    assert codes(receive(bytes(data))) == ["zip_encrypted"]


def test_a_bad_batch(receive):
    assert codes(receive(make_zip({"x": make_dicom()}), batch="<b>")) == ["batch_invalid"]
