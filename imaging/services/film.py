"""A file that was read and found good: what is to be stored of it, and what it must carry."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

from imaging.decoding import client
from imaging.facts import Inspection
from imaging.texts import clean
from twinhealth.errors import InvalidInputError

from .storage import Incoming, scratch, sync_file

_UID = re.compile(r"^[0-9]+(\.[0-9]+)*$")
_VIEW = re.compile(r"^[A-Z0-9 _]{0,16}$")


@dataclass(frozen=True, slots=True)
class Film:
    """One film on the way into the archive.

    Attributes:
        sent: the file as it came.
        stored: the file that is to be kept; `sent.path` itself for DICOM.
        inspection: what it says and shows.
        acquired_at: exposure, aware; the present where it isn't known.
        acquired_at_is_guess: it isn't known for sure.
    """

    sent: Incoming
    stored: Path
    inspection: Inspection
    acquired_at: datetime
    acquired_at_is_guess: bool

    @property
    def pixel_sha256(self) -> str:
        """Fingerprint of the picture; empty for one that can't be decoded or shows nothing.

        A film of one single grey value is nobody's picture: two of them prove nothing.
        """
        pixels = self.inspection.pixels
        return pixels.sha256 if pixels and not pixels.statistics.constant else ""


def read_dicom(sent: Incoming) -> Film:
    """Look a DICOM file through.

    Raises:
        InvalidInputError: codes of `imaging.decoding.client.inspect`, `patient_id_missing`,
            `patient_id_invalid`, `uid_missing`, `uid_invalid`.
        TooLargeError: a cap was passed.
    """
    inspection = client.inspect(sent.path)
    header = inspection.header
    check_patient_id(header.patient_id)
    check_patient_id(header.issuer, required=False)
    for name, uid in (
        ("SOP Instance UID", header.sop_instance_uid),
        ("Study Instance UID", header.study_instance_uid),
        ("Series Instance UID", header.series_instance_uid),
    ):
        if not uid:
            raise InvalidInputError("uid_missing", f"The DICOM file has no {name}.")
        if len(uid) > 64 or not _UID.match(uid):
            raise InvalidInputError("uid_invalid", f"The DICOM file's {name} is not a valid UID.")
    return _film(sent, sent.path, inspection)


def read_picture(
    sent: Incoming,
    *,
    patient_id: str,
    device_serial: str,
    acquired_at: datetime | None,
    view: str,
) -> Film:
    """Decode a PNG or JPEG and write it as DICOM beside it.

    Its UIDs are made from its bytes (PS3.5 B.2, a UUID below 2.25), so the same bytes always
    get the same ones.

    Raises:
        InvalidInputError: codes of `imaging.decoding.client.wrap`, `patient_id_missing`,
            `patient_id_invalid`, `device_missing`, `device_invalid`, `view_invalid`,
            `acquired_at_invalid`.
        TooLargeError: a cap was passed.
        UnavailableError: `storage_full`.
    """
    patient_id, serial, view = patient_id.strip(), device_serial.strip(), view.strip().upper()
    check_patient_id(patient_id)
    if not serial:
        raise InvalidInputError(
            "device_missing",
            "A PNG or JPEG doesn't say which machine took it: give the machine's serial number.",
        )
    if len(serial) > 64 or clean(serial) != serial or "\\" in serial:
        raise InvalidInputError(
            "device_invalid", "The serial number has more than 64 or forbidden characters."
        )
    if not _VIEW.match(view):
        raise InvalidInputError("view_invalid", "The view is a short code such as PA or AP.")
    if acquired_at is not None and acquired_at > timezone.now() + timedelta(days=1):
        raise InvalidInputError("acquired_at_invalid", "The exposure's time is in the future.")
    out = scratch()
    try:
        inspection = client.wrap(
            sent.path,
            out=out,
            identity={
                "SOPInstanceUID": _uid(sent.sha256, "instance"),
                "SeriesInstanceUID": _uid(sent.sha256, "series"),
                "StudyInstanceUID": _uid(sent.sha256, "study"),
                "PatientID": patient_id,
                "DeviceSerialNumber": serial,
                "ViewPosition": view,
            },
            acquired_at=acquired_at,
        )
        sync_file(out)
    except BaseException:
        out.unlink(missing_ok=True)
        raise
    return _film(sent, out, inspection)


def _film(sent: Incoming, stored: Path, inspection: Inspection) -> Film:
    acquired_at = inspection.header.acquired_at
    return Film(
        sent=sent,
        stored=stored,
        inspection=inspection,
        acquired_at=acquired_at or timezone.now(),
        acquired_at_is_guess=inspection.header.acquired_at_is_guess or acquired_at is None,
    )


def check_patient_id(value: str, *, required: bool = True) -> None:
    """A usable Patient ID (LO, PS3.5 table 6.2-1): there, short, without control characters.

    Raises:
        InvalidInputError: `patient_id_missing`, `patient_id_invalid`.
    """
    if required and not value:
        raise InvalidInputError(
            "patient_id_missing", "The patient number is missing: nobody's film can't be kept."
        )
    if len(value) > 64 or clean(value) != value or "\\" in value:
        raise InvalidInputError(
            "patient_id_invalid",
            "The patient number or its issuer has more than 64 or forbidden characters.",
        )


def _uid(sha256: str, what: str) -> str:
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, f'twinhealth:{what}:{sha256}').int}"
