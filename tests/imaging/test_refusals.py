"""Bad input gets a clear error with a code, an `Intake` row, and nothing is left behind."""

from __future__ import annotations

import contextlib
import errno
import functools
import io
import os
import struct
import zlib
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRLittleEndian,
    JPEG2000Lossless,
    RLELossless,
)

from imaging.models import Image, Intake, Outcome
from imaging.services import storage
from imaging.services.ingest import ingest_dicom
from twinhealth.errors import (
    DomainError,
    InvalidInputError,
    TooLargeError,
    UnavailableError,
)

from .factories import make_dataset, make_dicom, make_picture, make_pixels, to_bytes

pytestmark = pytest.mark.django_db


@pytest.fixture
def refused(send, kept):
    """The code with which a DICOM door refuses the bytes, all else checked."""

    def check(data: bytes, kind: type[DomainError] = InvalidInputError, **fields) -> str:
        with pytest.raises(kind) as caught:
            send(data, **fields)
        row = Intake.objects.latest("pk")
        assert (row.outcome, row.code) == (Outcome.REFUSED, caught.value.code)
        assert row.message == caught.value.message
        assert caught.value.extra["intake"] == row.pk
        assert not Image.objects.exists()
        assert kept() == []
        return caught.value.code

    return check


CT = "1.2.840.10008.5.1.4.1.1.2"
PDF = "1.2.840.10008.5.1.4.1.1.104.1"
SECONDARY = "1.2.840.10008.5.1.4.1.1.7"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_file"),
        (b"Dear colleague, please find attached", "not_dicom"),
        (make_picture(), "not_dicom"),
        (b"\0" * 128 + b"DICM", "bad_header"),
        (b"\0" * 128 + b"DICM" + b"\xff" * 4000, "bad_header"),
        (make_dicom(PixelData=None), "no_pixels"),
        (make_dicom(Rows=None), "no_pixels"),
        (make_dicom(Rows=0), "no_pixels"),
        (make_dicom(SOPClassUID=CT, Modality="CT"), "not_an_xray"),
        (make_dicom(SOPClassUID=PDF, PixelData=None), "not_an_xray"),
        (make_dicom(SOPClassUID=SECONDARY, Modality="US"), "not_an_xray"),
        (make_dicom(patient_id=None), "patient_id_missing"),
        (make_dicom(patient_id=""), "patient_id_missing"),
        (make_dicom(patient_id=" \t "), "patient_id_missing"),
        (make_dicom(patient_id="9" * 65), "patient_id_invalid"),
        (make_dicom(IssuerOfPatientID="9" * 65), "patient_id_invalid"),
        (make_dicom(StudyInstanceUID=None), "uid_missing"),
        (make_dicom(SeriesInstanceUID=None), "uid_missing"),
        (make_dicom(StudyInstanceUID="1.2.drop table"), "uid_invalid"),
        (make_dicom(StudyInstanceUID="1." * 33 + "1"), "uid_invalid"),
    ],
)
def test_refused_with_a_code(refused, data, code):
    assert refused(data) == code


@pytest.mark.parametrize("share", [0.04, 0.1, 0.2, 0.5, 0.9, 0.999])
@pytest.mark.parametrize(
    "syntax",
    [ExplicitVRLittleEndian, RLELossless, JPEG2000Lossless, DeflatedExplicitVRLittleEndian],
)
def test_a_cut_file(refused, syntax, share):
    data = make_dicom(transfer_syntax=syntax)
    code = refused(data[: int(len(data) * share)])
    assert code in {"truncated", "bad_header", "no_pixels"}
    assert share < 0.9 or code == "truncated"


def test_four_gibibytes_declared(refused):
    """In an element of the header, and in the pixels."""
    data = make_dicom()
    name = data.index(b"\x10\x00\x10\x00PN")
    huge = data[:name] + b"\x10\x00\x10\x00UN\0\0" + struct.pack("<I", 0xFFFFFFF0) + data[name:]
    assert refused(huge) == "truncated"
    at = data.index(b"\xe0\x7f\x10\x00OW\0\0") + 8
    assert refused(data[:at] + struct.pack("<I", 0xFFFFFFFE) + data[at + 4 :]) == "truncated"


def test_an_rle_bomb_is_refused_by_what_it_declares(refused):
    dataset = make_dataset(Rows=65535, Columns=65535)
    dataset.file_meta.TransferSyntaxUID = RLELossless
    segment = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 64
    item = b"\xfe\xff\x00\xe0" + struct.pack("<I", len(segment)) + segment
    dataset.PixelData = b"\xfe\xff\x00\xe0\0\0\0\0" + item + b"\xfe\xff\xdd\xe0\0\0\0\0"
    dataset["PixelData"].VR = "OB"
    dataset["PixelData"].is_undefined_length = True
    assert refused(to_bytes(dataset), TooLargeError) == "too_many_pixels"


@pytest.mark.parametrize(("rows", "columns"), [(16_385, 2), (2, 16_385), (8_192, 8_193)])
def test_too_many_pixels(refused, rows, columns):
    assert refused(make_dicom(Rows=rows, Columns=columns), TooLargeError) == "too_many_pixels"


def test_too_many_frames(refused):
    assert refused(make_dicom(NumberOfFrames=65), TooLargeError) == "too_many_frames"


def test_a_deflated_bomb(refused, settings):
    settings.MAX_UPLOAD_BYTES = 2_000_000
    small = make_dicom(transfer_syntax=DeflatedExplicitVRLittleEndian)
    dataset_at = _after_meta(small)
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    bomb = b"".join(deflate.compress(b"\0" * 1_000_000) for _ in range(500)) + deflate.flush()
    assert len(bomb) < 1_000_000
    assert refused(small[:dataset_at] + bomb, TooLargeError) == "inflated_too_large"


def _after_meta(data: bytes) -> int:
    (length,) = struct.unpack_from("<I", data, 140)
    return 144 + length


def test_a_file_beyond_the_cap(refused, settings):
    settings.MAX_UPLOAD_BYTES = 5_000
    assert refused(make_dicom(), TooLargeError) == "file_too_large"
    assert Intake.objects.get().sha256 == ""


def test_nested_sequences_without_end(refused):
    """A parser that recurses must not fall."""
    data = make_dicom()
    pixels = data.index(b"\xe0\x7f\x10\x00OW")
    level = b"\x08\x00\x40\x11SQ\0\0\xff\xff\xff\xff\xfe\xff\x00\xe0\xff\xff\xff\xff"
    bomb = data[:pixels] + level * 20_000 + data[pixels:]
    assert refused(bomb, DomainError) in {"bad_header", "truncated", "decode_memory"}


def test_decoded_size_that_contradicts_the_header(refused):
    data = make_dataset(pixels=make_pixels())
    data.compress(JPEG2000Lossless, generate_instance_uid=False)
    data.Rows = 32
    assert refused(to_bytes(data)) == "decode_failed"


def test_compressed_pixels_without_frames(refused):
    data = make_dicom().replace(b"1.2.840.10008.1.2.1\0", b"1.2.840.10008.1.2.5\0")
    assert refused(data) == "decode_failed"


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"patient_id": ""}, "patient_id_missing"),
        ({"patient_id": "a\\b"}, "patient_id_invalid"),
        ({"patient_id": "a\0b"}, "patient_id_invalid"),
        ({"device_serial": " "}, "device_missing"),
        ({"device_serial": "x" * 65}, "device_invalid"),
        ({"view": "<script>"}, "view_invalid"),
        ({"acquired_at": datetime.now(UTC) + timedelta(days=3)}, "acquired_at_invalid"),
    ],
)
def test_a_pictures_form(send_picture, kept, fields, code):
    with pytest.raises(InvalidInputError) as caught:
        send_picture(make_picture(), **fields)
    assert caught.value.code == code
    assert kept() == []
    assert Intake.objects.get().code == code


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (make_picture(mode="RGB", colour=True), "colour_picture"),
        (make_picture()[:400], "truncated"),
        (make_picture(kind="JPEG")[:300], "truncated"),
        (make_dicom(), "not_a_picture"),
        (b"\x89PNG\r\n\x1a\n", "not_a_picture"),
        (b"", "empty_file"),
    ],
)
def test_a_bad_picture(send_picture, kept, data, code):
    with pytest.raises(InvalidInputError) as caught:
        send_picture(data)
    assert caught.value.code == code
    assert kept() == []


def test_a_png_that_declares_too_much(send_picture, kept):
    data = bytearray(make_picture())
    struct.pack_into(">II", data, 16, 60_000, 60_000)
    struct.pack_into(">I", data, 29, zlib.crc32(data[12:29]))
    with pytest.raises(TooLargeError) as caught:
        send_picture(bytes(data))
    assert caught.value.code == "too_many_pixels"
    assert kept() == []


def test_an_animated_png(send_picture):
    from PIL import Image as Picture

    out = io.BytesIO()
    frames = [Picture.new("L", (40, 40), n) for n in range(3)]
    frames[0].save(out, format="PNG", save_all=True, append_images=frames[1:])
    with pytest.raises(InvalidInputError) as caught:
        send_picture(out.getvalue())
    assert caught.value.code == "multi_frame"


# --- the disk


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
@pytest.mark.parametrize("call", ["write", "fsync"])
def test_a_full_disk(refused, monkeypatch, number, call):
    def full(*_):
        raise OSError(number, "No space left on device")

    monkeypatch.setattr(os, call, full)
    assert refused(make_dicom(), UnavailableError) == "storage_full"


def test_a_disk_that_fills_up_midway(refused, monkeypatch):
    real, written = os.write, 0

    def write(descriptor, data):
        nonlocal written
        if written > 4000:
            raise OSError(errno.ENOSPC, "No space left on device")
        part = bytes(data[:1000])
        written += len(part)
        return real(descriptor, part)

    monkeypatch.setattr(storage.os, "write", write)
    assert refused(make_dicom(), UnavailableError) == "storage_full"
    assert written > 4000


def test_a_disk_that_is_full_when_the_file_gets_its_name(refused, monkeypatch):
    from pathlib import Path

    def rename(self, target):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "rename", rename)
    assert refused(make_dicom(), UnavailableError) == "storage_full"


def test_a_disk_that_is_read_only(refused, monkeypatch):
    def write(*_):
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(storage.os, "write", write)
    assert refused(make_dicom(), UnavailableError) == "storage_unavailable"


@pytest.mark.parametrize("words", ["database or disk is full", "x"])
def test_a_database_without_space(send, kept, monkeypatch, words):
    from django.db import OperationalError

    cause = Exception(words)
    cause.pgcode = "53100" if words == "x" else ""

    def broken(**_):
        raise OperationalError(words) from cause

    monkeypatch.setattr("imaging.services.rows.audit.record", broken)
    with pytest.raises(UnavailableError) as caught:
        send()
    assert caught.value.code == "storage_full"
    assert kept() == []


def test_a_real_full_disk(clinician, settings, tmp_path):
    """A file system of one megabyte, where this machine lets us mount one."""
    import subprocess

    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(small)],
        capture_output=True,
        check=False,
    )
    if mounted.returncode:
        settings.MEDIA_ROOT = "/dev/full"  # not a folder: the nearest that is always there
        with pytest.raises(UnavailableError) as caught:
            ingest_dicom(source=io.BytesIO(make_dicom()), filename="x", door="rest", actor=None)
        assert caught.value.code == "storage_unavailable"
        return
    try:
        settings.MEDIA_ROOT = small
        big = make_dicom(rows=1000, columns=1000)
        with pytest.raises(UnavailableError) as caught:
            ingest_dicom(source=io.BytesIO(big), filename="x", door="rest", actor=None)
        assert caught.value.code == "storage_full"
        assert [p for p in small.rglob("*") if p.is_file()] == []
    finally:
        subprocess.run(["umount", str(small)], check=True)


# --- anything at all


@hypothesis_settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_damaged_bytes_never_break_the_door(send, kept, data):
    """Cut and overwritten anywhere: stored or refused with a code, and never a leftover file."""
    original = bytearray(_sound_film())
    cut = data.draw(st.integers(0, len(original)))
    damaged = original[:cut]
    for _ in range(data.draw(st.integers(0, 4))):
        if damaged:
            at = data.draw(st.integers(0, len(damaged) - 1))
            patch = data.draw(st.binary(min_size=1, max_size=8))
            damaged[at : at + len(patch)] = patch
    with contextlib.suppress(DomainError):
        send(bytes(damaged))
    assert Intake.objects.exists()
    assert not Intake.objects.filter(code="internal_error").exists()
    assert set(kept()) <= {"images", "quarantine"}
    files = Image.objects.count() + _quarantined()
    assert len(kept()) == files


@functools.cache
def _sound_film() -> bytes:
    """One film for all examples: what hypothesis repeats must not change under it."""
    return make_dicom(sop_uid="1.2.3", study_uid="1.2", rows=20, columns=20)


def _quarantined() -> int:
    from imaging.models import QuarantinedFile

    return QuarantinedFile.objects.count()


# --- what the sender writes is text, nothing else

HTML = '<img src=x onerror="alert(1)">'


@pytest.mark.parametrize(
    "name", [HTML, "=HYPERLINK(A1)", "+1+1", "@SUM(1)", "-1", "a\nb", "Ünal^Zoë=山田^太郎"]
)
def test_a_name_is_kept_as_text(send, name):
    patient = send(make_dicom(patient_name=name)).image.series.study.patient
    assert patient.name == name.replace("\n", "")


@pytest.mark.parametrize(
    "filename", ["../../etc/passwd", "/etc/passwd", "..\\..\\x", "a\0b", "x" * 400, "", "=1+1"]
)
def test_a_file_name_is_never_a_path(send, archive, filename):
    result = send(filename=filename)
    assert result.image.path.startswith("images/")
    assert (archive / result.image.path).is_file()
    assert 0 < len(result.intake.filename) <= 255
    assert "\0" not in result.intake.filename
    assert sorted(p.name for p in archive.iterdir()) == ["images", "incoming"]


def test_numbers_that_are_none(send):
    """Windows, slopes and readings that can't be used are left out; the film is kept."""
    data = make_dataset()
    for keyword, value in (
        ("WindowCenter", b"NaN "),
        ("WindowWidth", b"0 "),
        ("RescaleSlope", b"0 "),
        ("KVP", b"-5"),
        ("Exposure", b"x "),
    ):
        from pydicom.datadict import tag_for_keyword
        from pydicom.dataelem import RawDataElement
        from pydicom.tag import Tag

        tag = Tag(tag_for_keyword(keyword))
        vr = "IS" if keyword == "Exposure" else "DS"
        data._dict[tag] = RawDataElement(tag, vr, len(value), value, 0, False, True)
    image = send(to_bytes(data)).image
    assert image.display_problem == ""
    assert not {"kvp", "exposure_mas"} & set(image.machine_facts["readings"])

    from imaging import pixels

    frame = pixels.load(image)
    assert (frame.slope, frame.intercept, frame.windows) == (1.0, 0.0, ())
    assert np.ptp(frame.pixels) > 0
