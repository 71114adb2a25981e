"""Two doors at once, with real threads and real transactions."""

from __future__ import annotations

import io
import threading
from collections import Counter
from collections.abc import Callable

import pytest
from django.db import connection

from imaging.models import Image, Intake, QuarantinedFile
from imaging.services.ingest import ingest_dicom
from imaging.signals import image_stored
from twinhealth.errors import DomainError

from .factories import make_dicom, make_pixels

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*jobs: Callable[[], object]) -> Counter[str]:
    """Run all at the same moment; what became of each."""
    gate = threading.Barrier(len(jobs))
    found: list[str] = []

    def run(job):
        try:
            gate.wait(20)
            found.append("duplicate" if job().duplicate else "stored")
        except DomainError as error:
            found.append(error.code)
        except Exception as error:  # noqa: BLE001 - it would be lost with its thread
            found.append(repr(error))
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return Counter(found)


@pytest.fixture
def job(clinician):
    def make(data: bytes) -> Callable[[], object]:
        return lambda: ingest_dicom(
            source=io.BytesIO(data), filename="x.dcm", door="rest", actor=clinician
        )

    return make


def test_the_same_bytes_at_once_are_one_row(job, kept):
    seen = []
    image_stored.connect(listener := lambda image, **_: seen.append(image.pk))
    try:
        for _ in range(3):
            data = make_dicom(patient_id="P1")
            assert at_once(*[job(data)] * 4) == {"stored": 1, "duplicate": 3}
    finally:
        image_stored.disconnect(listener)
    assert Image.objects.count() == len(set(seen)) == 3
    assert Intake.objects.count() == 12
    assert kept() == ["images"] * 3


def test_bytes_that_cannot_be_decoded_at_once_are_one_row(job, kept):
    data = make_dicom(HighBit=15)
    assert at_once(*[job(data)] * 4) == {"stored": 1, "duplicate": 3}
    assert kept() == ["images"]


def test_one_uid_with_two_contents_at_once(job, kept):
    jobs = [job(make_dicom(sop_uid="1.2.3")) for _ in range(3)]
    assert at_once(*jobs) == {"stored": 1, "sop_uid_conflict": 2}
    assert Image.objects.count() == 1
    assert kept() == ["images", "quarantine", "quarantine"]


def test_one_picture_under_two_patients_at_once(job, kept):
    """No constraint could say it: the picture's lock does."""
    for n in range(3):
        picture = make_pixels(seed=f"shared {n}")
        jobs = [job(make_dicom(pixels=picture, patient_id=f"P{n}{k}")) for k in range(3)]
        assert at_once(*jobs) == {"stored": 1, "identity_conflict": 2}
    assert Image.objects.count() == 3
    assert QuarantinedFile.objects.count() == 6


def test_one_contested_file_at_once(job, kept):
    at_once(job(make_dicom(sop_uid="1.2.3")))
    data = make_dicom(sop_uid="1.2.3")
    assert at_once(*[job(data)] * 3) == {"sop_uid_conflict": 3}
    assert QuarantinedFile.objects.count() == 1
    assert kept() == ["images", "quarantine"]


def test_new_films_of_one_new_patient_study_and_machine_at_once(job):
    jobs = [
        job(
            make_dicom(
                patient_id="NEW", study_uid="1.2", SeriesInstanceUID="1.2.3", serial="NEW-MACHINE"
            )
        )
        for _ in range(6)
    ]
    assert at_once(*jobs) == {"stored": 6}
    from devices.models import InboxEntry
    from patients.models import Patient

    assert Patient.objects.count() == 1
    assert InboxEntry.objects.get().image_count == 6
    assert Image.objects.values("series__study").distinct().count() == 1
