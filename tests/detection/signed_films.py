"""Films as they come through the door, read by a version and signed by a reader."""

from __future__ import annotations

import io
import itertools
from typing import Any

import numpy as np

from accounts.models import User
from detection.models import DetectorVersion
from detection.services import reviews, sign
from imaging.models import Image
from imaging.models.image import Door
from imaging.services.ingest import ingest_dicom
from tests.detection.factories import make_run
from tests.imaging.factories import make_dicom, make_pixels

_numbers = itertools.count()

LEFT, RIGHT = (4.0, 8.0, 16.0, 40.0), (26.0, 8.0, 16.0, 40.0)
# what must not leave the house, in any file
CANARIES = (
    "CANARYID", "CanaryName", "CANARYISSUER", "CANARYACCESSION", "CANARYSERIAL", "19310723",
    "1931-07-23", "2025-03-04", "20250304", "CANARYSTUDY",
)  # fmt: skip


def stored_film(patient: str = "CANARYID-1", **tags: Any) -> Image:
    """A film of 48 x 64 pixels (columns x rows) in the archive, full of what identifies."""
    picture = make_pixels(seed=next(_numbers))
    # a twentieth black, a twentieth white, as films are: their window lies on steps, not in gaps
    picture = np.clip(picture, *np.percentile(picture, (5, 95)).astype(int))
    data = make_dicom(
        **{
            "patient_id": patient,
            "patient_name": "CanaryName^Canary",
            "pixels": picture.astype(np.uint16),
            "serial": "CANARYSERIAL",
            "IssuerOfPatientID": "CANARYISSUER",
            "PatientBirthDate": "19310723",
            "AccessionNumber": "CANARYACCESSION",
            "StudyDescription": "CANARYSTUDY",
            **tags,
        }
    )
    source = io.BytesIO(data)
    return ingest_dicom(source=source, filename="film.dcm", door=Door.REST, actor=None).image


def signed_film(
    version: DetectorVersion,
    reader: User,
    *,
    label: str = "covid",
    conclusion: str = "",
    accept: bool = True,
    **tags: Any,
) -> Image:
    """A film with one finding of `label` on each side, accepted unless told otherwise, signed."""
    image = stored_film(**tags)
    boxes = tuple((label, 0.9, *box) for box in (LEFT, RIGHT))
    run = make_run(image, version, boxes=boxes)
    if accept:
        for finding in run.findings.all():
            reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    conclusion = conclusion or ("normal" if label == "normal" else "abnormal")
    sign.sign(image_id=image.pk, user=reader, conclusion=conclusion)
    return image
