"""Images of other machines that come with pydicom, as the gate would get them."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import pydicom
from pydicom.pixels.processing import apply_color_lut

from imaging.frame import Frame

from .rules import SMALLEST

MODALITIES: Final = ("CT", "MR", "US")
ENLARGED: Final = 256  # pixels: small ones are enlarged, so that what they show decides, not size
_LUMA: Final = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601


def foreign_frames() -> Iterator[tuple[str, Frame]]:
    """Name and frame of each, every picture once; those that can't be decoded are left out."""
    folder = Path(pydicom.__file__).parent / "data" / "test_files"
    seen = set()
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        found = _read(path)
        if found is None or found[1].pixels.tobytes() in seen:
            continue
        name, frame = found
        seen.add(frame.pixels.tobytes())
        yield name, frame


def _read(path: Path) -> tuple[str, Frame] | None:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            data = pydicom.dcmread(path, force=True)
            if data.get("Modality") not in MODALITIES or "PixelData" not in data:
                return None
            pixels = _grey(data)
    except Exception:  # noqa: BLE001 - test files are broken on purpose, in every way
        return None
    height, width = pixels.shape
    if min(height, width) < 32:  # an icon, not an image
        return None
    if min(height, width) < SMALLEST:
        factor = ENLARGED / min(height, width)
        size = (round(width * factor), round(height * factor))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_CUBIC)
    frame = Frame(pixels=np.asarray(pixels), photometric="MONOCHROME2", bits_stored=16)
    return f"{data.Modality} {path.name}", frame


def _grey(data: Any) -> np.ndarray:
    """Rows and columns of one frame, as 16-bit values."""
    pixels = data.pixel_array
    if data.PhotometricInterpretation == "PALETTE COLOR":
        pixels = apply_color_lut(pixels, data)
    colour = pixels.ndim > 2 and pixels.shape[-1] == 3
    while pixels.ndim > (3 if colour else 2):
        pixels = pixels[len(pixels) // 2]
    if colour:
        pixels = pixels @ _LUMA
    values = pixels.astype(np.float64)
    low, high = values.min(), values.max()
    return np.asarray((values - low) / max(high - low, 1) * 65535, np.uint16)
