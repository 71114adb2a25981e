"""A patient's row: found by number and issuer, or made."""

from __future__ import annotations

import re
from datetime import date

import structlog
from django.db import transaction

from patients.models import Patient
from patients.models.patient import Sex
from twinhealth.errors import InvalidInputError

log = structlog.get_logger(__name__)

_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


@transaction.atomic
def get_or_create(
    *,
    identifier: str,
    issuer: str = "",
    name: str = "",
    birth_date: date | None = None,
    sex: str = "",
    is_synthetic: bool = False,
) -> Patient:
    """The patient with this number within its issuer; made where there is none.

    What is stored is never overwritten: a sender that gives another name or birth date for the
    same number may have mixed up two people, which is for a person to sort out. It is logged.

    Args:
        identifier: Patient ID (0010,0020), up to 64 characters.
        issuer: Issuer of Patient ID (0010,0021); empty for the hospital's own numbers.
        name: Patient's Name (0010,0010) as written, with its carets.
        birth_date: Patient's Birth Date (0010,0030).
        sex: Patient's Sex (0010,0040): F, M, O; anything else counts as unknown.
        is_synthetic: made up for a demo or a test.

    Raises:
        InvalidInputError: `patient_id_missing`, `patient_id_invalid`, `patient_name_invalid`.
    """
    identifier, issuer, name = identifier.strip(), issuer.strip(), name.strip()
    if not identifier:
        raise InvalidInputError("patient_id_missing", "The patient number is missing.")
    for text, limit in ((identifier, 64), (issuer, 64)):
        if len(text) > limit or _CONTROL.search(text):
            raise InvalidInputError(
                "patient_id_invalid",
                "The patient number or its issuer is longer than 64 characters or holds control "
                "characters.",
            )
    if len(name) > 324 or _CONTROL.search(name):
        raise InvalidInputError(
            "patient_name_invalid",
            "The patient's name is longer than 324 characters or holds control characters.",
        )
    sent = {
        "name": name,
        "birth_date": birth_date,
        "sex": sex if sex in Sex.values else Sex.UNKNOWN,
    }
    patient, created = Patient.objects.get_or_create(
        issuer=issuer, identifier=identifier, defaults={**sent, "is_synthetic": is_synthetic}
    )
    if created:
        log.info("patient_created", patient=patient.pk, synthetic=is_synthetic)
        return patient
    differing = [key for key, value in sent.items() if value and value != getattr(patient, key)]
    if differing:
        log.warning("patient_identity_differs", patient=patient.pk, fields=differing)
    return patient
