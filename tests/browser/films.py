"""Films with real files behind them, and readings as a model would have left them."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import numpy.typing as npt

from detection.models import DetectionRun, DetectorVersion
from imaging.models import Image
from imaging.models.image import Door
from imaging.services.ingest import ingest_dicom
from tests.detection.factories import make_run
from tests.imaging.factories import make_dicom

ROWS, COLUMNS = 300, 400
MARK = (120, 60, 80, 50)  # left, top, width, height of the white mark in `marked_pixels`


def marked_pixels() -> npt.NDArray[np.uint16]:
    """Dark, with one white rectangle at `MARK`."""
    pixels = np.full((ROWS, COLUMNS), 200, np.uint16)
    x, y, w, h = MARK
    pixels[y : y + h, x : x + w] = 4000
    return pixels


def stored_film(*, patient_id: str = "P1", **fields: Any) -> Image:
    """A film that came through the door; read by nobody unless a version is active."""
    data = make_dicom(**{"rows": ROWS, "columns": COLUMNS, "patient_id": patient_id, **fields})
    result = ingest_dicom(
        source=io.BytesIO(data), filename="film.dcm", door=Door.COMMAND, actor=None
    )
    return result.image


def read_film(
    version: DetectorVersion, *boxes: tuple[Any, ...], image: Image | None = None, **fields: Any
) -> tuple[Image, DetectionRun]:
    """A stored film with the findings `(label, score, x, y, w, h)` of a finished run."""
    image = image or stored_film(**fields)
    return image, make_run(image, version, boxes=boxes)
