"""What the detector tells apart, in the order of the shipped network's outputs."""

from __future__ import annotations

from typing import Final

CLASSES: Final = ("covid", "pneumonia", "normal")
