"""One decoded film in memory, with what the grey-scale chain needs to show it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

VoiFunction = Literal["LINEAR", "LINEAR_EXACT", "SIGMOID"]
SpacingKind = Literal["geometry", "fiducial", "detector", "scanned", "unspecified"]


@dataclass(frozen=True, slots=True)
class Window:
    """A VOI window in modality units (PS3.3 C.11.2.1.2); `name` is its explanation."""

    center: float
    width: float
    function: VoiFunction = "LINEAR"
    name: str = ""


@dataclass(frozen=True, slots=True)
class Lut:
    """A table of a Modality or VOI LUT Sequence (PS3.3 C.11.1.1.1, C.11.2.1.1).

    Attributes:
        first: input that meets the first entry; smaller ones do too, larger than the last entry
            the last one.
        bits: of an entry, 8 to 16; the table's range is 0 to 2**bits - 1.
        data: entries, unsigned, 16 bits each, little-endian.
        name: its explanation.
    """

    first: int
    bits: int
    data: bytes
    name: str = ""

    @property
    def entries(self) -> npt.NDArray[np.uint16]:
        """(n,) uint16."""
        return np.frombuffer(self.data, "<u2").astype(np.uint16, copy=False)

    @property
    def top(self) -> int:
        """The highest value that an entry can have."""
        return int(2**self.bits - 1)

    @property
    def falls(self) -> bool:
        """Whether a higher input gives a lower output, from end to end."""
        entries = self.entries
        return bool(entries[0] > entries[-1])


@dataclass(frozen=True, slots=True)
class Spacing:
    """Millimetres between the middles of neighbouring pixels (PS3.3 10.7.1.1, 10.7.1.3).

    Attributes:
        row: between rows (vertical).
        column: between columns (horizontal).
        kind: `geometry` or `fiducial`: calibrated to the patient's plane; `detector`: in the
            detector's plane, so anatomy is smaller than measured; `scanned`: of a scanner;
            `unspecified`: the file doesn't say in which plane.
        description: Pixel Spacing Calibration Description, or empty.
    """

    row: float
    column: float
    kind: SpacingKind
    description: str = ""


@dataclass(frozen=True, slots=True)
class Frame:
    """Stored values of one monochrome frame.

    Attributes:
        pixels: integer array (rows, columns) of stored values, as decoded.
        photometric: `MONOCHROME1` (low is white) or `MONOCHROME2` (low is black).
        bits_stored: 8 to 16.
        slope, intercept: Modality LUT, linear (PS3.3 C.11.1); finite, slope not 0.
        windows: the VOI windows that the file offers, usable ones only.
        padding: stored value(s) that aren't image (PS3.3 C.7.5.1.1.2), inclusive range.
        modality_lut: Modality LUT as a table; slope and intercept don't count then.
        voi_luts: the VOI LUTs as tables, of modality values.
        shape: Presentation LUT Shape (PS3.3 C.11.6): `IDENTITY`, `INVERSE`, or empty.
        spacing: for millimetres; `None` where the file gives none.
    """

    pixels: npt.NDArray[np.integer]
    photometric: Literal["MONOCHROME1", "MONOCHROME2"]
    bits_stored: int
    slope: float = 1.0
    intercept: float = 0.0
    windows: tuple[Window, ...] = field(default=())
    padding: tuple[int, int] | None = None
    modality_lut: Lut | None = None
    voi_luts: tuple[Lut, ...] = field(default=())
    shape: str = ""
    spacing: Spacing | None = None

    @property
    def inverse(self) -> bool:
        """Whether the VOI's lowest output is white; a Presentation LUT Shape decides first."""
        if self.shape:
            return self.shape == "INVERSE"
        return self.photometric == "MONOCHROME1"

    @property
    def low_is_white(self) -> bool:
        """Whether low stored values are shown white, all steps together."""
        falls = self.modality_lut.falls if self.modality_lut else self.slope < 0
        return self.inverse != falls
