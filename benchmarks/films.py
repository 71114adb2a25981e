"""Many different real films: the demo's pictures with a little noise, each its own."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import UTC, datetime

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import generate_uid

from demo.films import FILMS, dataset_for


def films(count: int, *, seed: int) -> Iterator[tuple[str, bytes]]:
    """`count` (name, DICOM bytes); uncompressed, no two with the same pixels or identity."""
    rng = np.random.default_rng(seed)
    plain = [film for film in FILMS if film.form == "plain"]
    now = datetime.now(UTC)
    for number in range(count):
        ds = dataset_for(plain[number % len(plain)], now=now)
        pixels = np.frombuffer(ds.PixelData, np.uint8).astype(np.int16)
        pixels += rng.integers(-1, 2, pixels.size, dtype=np.int16)
        ds.PixelData = pixels.clip(0, 255).astype(np.uint8).tobytes()
        yield f"film-{number:04d}.dcm", file_of(ds, patient_id=f"BENCH-{seed}-{number}")


def file_of(ds: Dataset, *, patient_id: str) -> bytes:
    """The film as a file of its own: new identifiers, this patient."""
    ds.PatientID = patient_id
    for name in ("SOPInstanceUID", "StudyInstanceUID", "SeriesInstanceUID"):
        setattr(ds, name, generate_uid(prefix=None))
    buffer = io.BytesIO()
    ds.save_as(buffer, enforce_file_format=True)
    return buffer.getvalue()
