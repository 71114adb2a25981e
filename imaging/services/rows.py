"""The rows of one film, written together. Only `ingest` calls this, inside its transaction."""

from __future__ import annotations

import struct
from datetime import date
from typing import Any

from django.db import connection
from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User
from accounts.services import audit
from devices.models import Device
from devices.services.from_image import note_image
from devices.services.identify import clean_serial, find, find_or_inbox
from imaging.models import Image, Intake, Outcome, Series, Study
from imaging.signals import image_stored
from patients.models import Patient
from patients.services.patients import get_or_create as patient_of

from . import storage
from .contest import ContestedError, find_contest, identity_contest, same_identity
from .film import Film


def write_rows(
    *,
    film: Film,
    path: str,
    intake: dict[str, Any],
    actor: User | None,
    request: HttpRequest | Request | None,
    demo: bool,
    attribution: str,
) -> tuple[Image, bool, Intake]:
    """Patient, study, series, image, intake, audit, the machine's readings; then tell the house.

    Doesn't open a transaction: the caller owns it, and repeats it where two films met.

    Returns:
        The image, whether it was there already, and the delivery's row.

    Raises:
        ContestedError: the film contradicts the archive.
    """
    _lock(film.pixel_sha256 or film.sent.sha256)
    machine = film.inspection.header.machine
    existing = (
        Image.objects.filter(sha256=film.sent.sha256)
        .select_related("device", "series__study__patient")
        .first()
    )
    if existing is not None:
        return _again(film, existing, intake=intake, actor=actor, request=request)
    device = find_or_inbox(name=machine, seen_at=film.acquired_at) if machine.serial else None
    contest = find_contest(film, device)
    if contest is not None:
        raise ContestedError(contest)
    patient = _patient(film, demo=demo)
    series = _series(film, patient)
    facts = film.inspection.image_facts(film.acquired_at)
    image = _image(film, series, device)
    image.path = path
    image.size = storage.full_path(path).stat().st_size
    image.door = intake["door"]
    image.received_by = actor
    image.machine_facts = {"readings": facts.readings, "config": facts.config}
    image.attribution = attribution
    image.is_demo = demo
    image.save(force_insert=True)
    row = Intake.objects.create(
        **intake,
        outcome=Outcome.STORED,
        sha256=film.sent.sha256,
        size=film.sent.size,
        image=image,
    )
    audit.record(
        actor=actor,
        verb="imported",
        obj=image,
        patient_id=patient.pk,
        request=request,
        detail={"door": image.door, "sha256": image.sha256},
    )
    if device is not None:
        note_image(device=device, facts=facts, source_ref=f"image:{image.pk}")
    image_stored.send(sender=Image, image=image)
    return image, False, row


def _lock(key: str) -> None:
    """One film of a picture at a time; SQLite's IMMEDIATE transactions do that by themselves."""
    if connection.vendor == "postgresql":
        (number,) = struct.unpack(">q", bytes.fromhex(key[:16]))
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [number])


def _again(
    film: Film,
    existing: Image,
    *,
    intake: dict[str, Any],
    actor: User | None,
    request: HttpRequest | Request | None,
) -> tuple[Image, bool, Intake]:
    """The same bytes: one row. A picture's identity is its sender's word, and may contradict."""
    if not same_identity(film, existing, find(film.inspection.header.machine.serial)):
        raise ContestedError(identity_contest(film, existing))
    row = Intake.objects.create(
        **intake,
        outcome=Outcome.DUPLICATE,
        sha256=film.sent.sha256,
        size=film.sent.size,
        image=existing,
    )
    audit.record(
        actor=actor,
        verb="imported again",
        obj=existing,
        patient_id=existing.series.study.patient_id,
        request=request,
        detail={"door": row.door},
    )
    return existing, True, row


def _patient(film: Film, *, demo: bool) -> Patient:
    header = film.inspection.header
    return patient_of(
        identifier=header.patient_id,
        issuer=header.issuer,
        name=header.patient_name,
        birth_date=date.fromisoformat(header.birth_date) if header.birth_date else None,
        sex=header.sex,
        is_synthetic=demo,
    )


def _series(film: Film, patient: Patient) -> Series:
    header = film.inspection.header
    study, _ = Study.objects.get_or_create(
        study_instance_uid=header.study_instance_uid,
        defaults={
            "patient": patient,
            "accession_number": header.accession_number,
            "description": header.study_description,
            "study_at": header.study_at,
        },
    )
    series, _ = Series.objects.get_or_create(
        series_instance_uid=header.series_instance_uid,
        defaults={"study": study, "modality": header.modality, "body_part": header.body_part},
    )
    return series


def _image(film: Film, series: Series, device: Device | None) -> Image:
    """What the film says of itself; not saved."""
    found = film.inspection
    header = found.header
    return Image(
        series=series,
        sop_instance_uid=header.sop_instance_uid,
        sop_class_uid=header.sop_class_uid[:64],
        transfer_syntax_uid=header.transfer_syntax_uid,
        sha256=film.sent.sha256,
        pixel_sha256=film.pixel_sha256,
        rows=header.rows,
        columns=header.columns,
        frames=header.frames,
        bits_stored=min(max(header.bits_stored, 0), 64),
        photometric=header.photometric,
        view_position=header.view_position,
        burned_in=header.burned_in,
        requested_urgency=header.requested_urgency,
        acquired_at=film.acquired_at,
        acquired_at_is_guess=film.acquired_at_is_guess,
        device=device,
        device_serial=clean_serial(header.machine.serial),
        display_problem=found.problem,
        display_message=found.problem_message[:300],
    )
