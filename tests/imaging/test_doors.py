"""The form that browser and REST share."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils.datastructures import MultiValueDict

from imaging.models import Image, Intake
from imaging.services.doors import parse_acquired_at, receive_upload
from twinhealth.errors import InvalidInputError

from .factories import make_dicom, make_picture
from .test_zips import make_zip

pytestmark = pytest.mark.django_db


@pytest.fixture
def upload(clinician):
    def run(*files: bytes, name="film.dcm", **fields: str):
        parts = [SimpleUploadedFile(name, data) for data in files]
        return receive_upload(
            files=MultiValueDict({"file": parts}), fields=fields, door="rest", actor=clinician
        )

    return run


def test_a_film(upload, clinician):
    result = upload(make_dicom(), batch="b-1")
    assert (result.intake.by, result.intake.batch, result.intake.door) == (clinician, "b-1", "rest")


def test_a_picture_with_its_form(upload):
    result = upload(
        make_picture(),
        patient_id="P7",
        device="XR-7",
        acquired_at="2025-03-04T10:20+01:00",
        view="PA",
    )
    image = result.image
    assert image.series.study.patient.identifier == "P7"
    assert image.acquired_at == datetime(2025, 3, 4, 9, 20, tzinfo=UTC)


def test_a_png_named_dcm_is_a_png(upload):
    with pytest.raises(InvalidInputError) as caught:
        upload(make_picture(), name="film.dcm")
    assert caught.value.code == "patient_id_missing"
    assert upload(make_picture(), name="film.dcm", patient_id="P1", device="X").image.pk


def test_a_dicom_named_png_is_dicom(upload):
    result = upload(make_dicom(patient_id="P1"), name="film.png", patient_id="P2")
    # what the file says counts, not the form
    assert result.image.series.study.patient.identifier == "P1"


@pytest.mark.parametrize("count", [0, 2])
def test_exactly_one_file(upload, count):
    with pytest.raises(InvalidInputError) as caught:
        upload(*[make_dicom()] * count)
    assert caught.value.code == "file_missing"


@pytest.mark.parametrize(
    ("data", "fields", "code"),
    [
        (b"", {}, "empty_file"),
        (b"hello", {}, "unknown_format"),
        (make_zip({"x": b"y"}), {}, "zip_not_here"),
        (make_dicom(), {"batch": "x" * 37}, "batch_invalid"),
        (make_picture(), {"acquired_at": "yesterday"}, "acquired_at_invalid"),
        (make_picture(), {"acquired_at": "2025-13-41T10:00"}, "acquired_at_invalid"),
    ],
)
def test_refusals_leave_their_row(upload, kept, data, fields, code):
    with pytest.raises(InvalidInputError) as caught:
        upload(data, **fields)
    assert caught.value.code == code
    assert Intake.objects.get().code == code
    assert not Image.objects.exists()
    assert kept() == []


def test_times_without_offset_are_the_hospitals(settings):
    from django.utils import timezone

    with timezone.override("Europe/Berlin"):
        assert parse_acquired_at("2025-07-04T10:20") == datetime(2025, 7, 4, 8, 20, tzinfo=UTC)
    assert parse_acquired_at(" ") is None
    far = parse_acquired_at("2025-07-03T12:21-19:59")
    assert far is not None
    assert (far, far.tzinfo) == (datetime(2025, 7, 4, 8, 20, tzinfo=UTC), UTC)
