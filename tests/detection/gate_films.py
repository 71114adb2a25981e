"""The demo's pictures as the gate gets them, and faults made of them."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from imaging.frame import Frame

DEMO = sorted((Path(__file__).resolve().parents[2] / "demo" / "images").glob("*.jpg"))


@lru_cache
def picture(path: Path) -> Any:
    """Grey values (rows, columns), 8 bit."""
    found = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    assert found is not None
    return found


def frame(pixels: Any, photometric: Any = "MONOCHROME2", **fields: Any) -> Frame:
    return Frame(np.ascontiguousarray(pixels), photometric, fields.pop("bits_stored", 8), **fields)
