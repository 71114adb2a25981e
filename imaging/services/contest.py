"""Does a film contradict what is stored? And what is kept of one that does."""

from __future__ import annotations

from dataclasses import dataclass

from devices.models import Device
from devices.services.identify import clean_serial
from imaging.models import Image, Series, Study
from twinhealth.errors import ConflictError

from .film import Film


@dataclass(frozen=True, slots=True)
class Contest:
    """One contradiction: the stored image and what is wrong, for a person."""

    existing: Image
    code: str
    message: str


class ContestedError(ConflictError):
    """Raised inside the transaction, so that nothing of the film stays in it."""

    def __init__(self, contest: Contest) -> None:
        super().__init__(contest.code, contest.message, existing=contest.existing.pk)
        self.contest = contest


_ROWS = ("device", "series__study__patient")


def find_contest(film: Film, device: Device | None) -> Contest | None:
    """The first contradiction between a new film and the archive, if any.

    Call inside the transaction that would store it, under the lock of its picture.
    """
    return _same_uid(film) or _same_picture(film, device) or _same_study(film)


def same_identity(film: Film, image: Image, device: Device | None) -> bool:
    """Whether film and stored image name one patient and, as far as both say, one machine."""
    return _same_patient(film, image) and _same_machine(film, image, device)


def _same_patient(film: Film, image: Image) -> bool:
    header, patient = film.inspection.header, image.series.study.patient
    if header.patient_id != patient.identifier:
        return False
    # a door that knows no issuer (the short form) says nothing against one
    return header.issuer == patient.issuer or not (header.issuer and patient.issuer)


def _same_machine(film: Film, image: Image, device: Device | None) -> bool:
    serial = clean_serial(film.inspection.header.machine.serial)
    if not serial or not image.device_serial or serial == image.device_serial:
        return True
    return device is not None and device.pk == image.device_id


def _same_uid(film: Film) -> Contest | None:
    uid = film.inspection.header.sop_instance_uid
    existing = Image.objects.filter(sop_instance_uid=uid).first()
    if existing is None:
        return None
    return Contest(
        existing,
        "sop_uid_conflict",
        "A stored film has the same SOP Instance UID and other contents. This file is kept in "
        "quarantine; ask at the machine which of the two is right.",
    )


def _same_picture(film: Film, device: Device | None) -> Contest | None:
    if not film.pixel_sha256:
        return None
    images = Image.objects.filter(pixel_sha256=film.pixel_sha256).select_related(*_ROWS)
    for existing in images.order_by("pk")[:50]:
        if not same_identity(film, existing, device):
            return identity_contest(film, existing)
    return None


def identity_contest(film: Film, existing: Image) -> Contest:
    """The same picture under another patient or machine."""
    who = "machine" if _same_patient(film, existing) else "patient"
    return Contest(
        existing,
        "identity_conflict",
        f"The same picture is stored for another {who}. This file is kept in quarantine; find "
        f"out whose it is.",
    )


def _same_study(film: Film) -> Contest | None:
    """A study belongs to one patient, a series to one study."""
    header = film.inspection.header
    study = (
        Study.objects.filter(study_instance_uid=header.study_instance_uid)
        .select_related("patient")
        .first()
    )
    whose = (header.patient_id, header.issuer)
    if study is not None and (study.patient.identifier, study.patient.issuer) != whose:
        existing = Image.objects.filter(series__study=study).earliest("pk")
        return Contest(
            existing,
            "identity_conflict",
            "Its study belongs to another patient. This file is kept in quarantine; find out "
            "whose it is.",
        )
    series = (
        Series.objects.filter(series_instance_uid=header.series_instance_uid)
        .exclude(study__study_instance_uid=header.study_instance_uid)
        .first()
    )
    if series is None:
        return None
    return Contest(
        Image.objects.filter(series=series).earliest("pk"),
        "identity_conflict",
        "Its series belongs to another study. This file is kept in quarantine; ask at the "
        "machine which is right.",
    )
