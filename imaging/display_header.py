"""What a header says of how its picture is shown: windows, tables, padding, millimetres."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from pydicom.dataset import Dataset

from .elements import loose, number, numbers, several, text, value
from .frame import Lut, Spacing, VoiFunction, Window
from .grayscale import usable

_MOST_WINDOWS = 16
_MOST_TABLES = 8
_FUNCTIONS: dict[str, VoiFunction] = {
    "LINEAR": "LINEAR",
    "LINEAR_EXACT": "LINEAR_EXACT",
    "SIGMOID": "SIGMOID",
}
# a pixel of an X-ray film is between a micrometre and a centimetre
_MILLIMETRES = (0.001, 10.0)


def windows(data: Dataset) -> tuple[Window, ...]:
    """The usable VOI windows with their explanations (PS3.3 C.11.2.1.2)."""
    function = _FUNCTIONS.get(text(data, "VOILUTFunction"), "LINEAR")
    found = value(data, "WindowCenterWidthExplanation")
    names = [str(n) for n in found] if several(found) else [str(found or "")]
    pairs = zip(loose(data, "WindowCenter"), loose(data, "WindowWidth"), strict=False)
    made = (
        Window(c, w, function, _line(names[i]) if i < len(names) else "")
        for i, (c, w) in enumerate(pairs)
    )
    return tuple(w for w in made if usable(w))[:_MOST_WINDOWS]


def padding(data: Dataset, *, signed: bool) -> tuple[int, int] | None:
    """Pixel Padding Value and Range Limit (PS3.3 C.7.5.1.1.2), in the pixels' own signedness."""
    first = number(data, "PixelPaddingValue")
    if first is None:
        return None
    last = number(data, "PixelPaddingRangeLimit")
    ends = [int(v) for v in (first, first if last is None else last)]
    ends = [
        v - 65536 if signed and v > 32767 else v + 65536 if not signed and v < 0 else v
        for v in ends
    ]
    return min(ends), max(ends)


def modality_lut(data: Dataset, *, signed: bool) -> Lut | None:
    """The table of the Modality LUT Sequence (PS3.3 C.11.1.1), where there is a sound one."""
    found = _tables(data, "ModalityLUTSequence", "ModalityLUTType", signed=signed)
    return found[0] if found else None


def voi_luts(data: Dataset, *, signed: bool) -> tuple[Lut, ...]:
    """The sound tables of the VOI LUT Sequence (PS3.3 C.11.2.1.1).

    Args:
        data: header.
        signed: whether modality values may be negative, which decides how the first value
            mapped is read.
    """
    return tuple(_tables(data, "VOILUTSequence", "LUTExplanation", signed=signed))


def shape(data: Dataset) -> str:
    """Presentation LUT Shape (2050,0020), where it is one that an image may have."""
    found = text(data, "PresentationLUTShape", 16).upper()
    return found if found in {"IDENTITY", "INVERSE"} else ""


def spacing(data: Dataset) -> Spacing | None:
    """Millimetres per pixel and what they are measured at (PS3.3 10.7.1.3).

    Pixel Spacing counts first. It is calibrated where it says how, or differs from Imager Pixel
    Spacing; where both are equal nobody calibrated it, and it is the detector's.
    """
    pixel, imager = _pair(data, "PixelSpacing"), _pair(data, "ImagerPixelSpacing")
    description = text(data, "PixelSpacingCalibrationDescription")
    if pixel:
        said = text(data, "PixelSpacingCalibrationType", 16).upper()
        if said == "FIDUCIAL":
            return Spacing(*pixel, "fiducial", description)
        if said == "GEOMETRY":
            return Spacing(*pixel, "geometry", description)
        kind = "detector" if imager == pixel else "unspecified"
        return Spacing(*pixel, "detector" if kind == "detector" else "unspecified", description)
    if imager:
        return Spacing(*imager, "detector")
    scanned = _pair(data, "NominalScannedPixelSpacing")
    return Spacing(*scanned, "scanned") if scanned else None


def _pair(data: Dataset, keyword: str) -> tuple[float, float] | None:
    found = numbers(data, keyword)
    low, high = _MILLIMETRES
    if len(found) != 2 or not all(low <= v <= high for v in found):
        return None
    return found[0], found[1]


def _line(words: str) -> str:
    return " ".join("".join(c for c in words if c.isprintable()).split())[:64]


def _tables(data: Dataset, keyword: str, naming: str, *, signed: bool) -> list[Lut]:
    try:
        items = list(value(data, keyword) or [])[:_MOST_TABLES]
    except TypeError:
        return []
    made = []
    for item in items:
        lut = _table(item, signed=signed) if isinstance(item, Dataset) else None
        if lut is not None:
            name = text(item, "LUTExplanation") or text(item, naming)
            made.append(Lut(lut.first, lut.bits, lut.data, name))
    return made


def _table(item: Dataset, *, signed: bool) -> Lut | None:
    """One item: LUT Descriptor (entries, first value mapped, bits) and LUT Data."""
    descriptor = numbers(item, "LUTDescriptor")
    if len(descriptor) != 3:
        return None
    count, first, bits = (int(v) for v in descriptor)
    count = count % 65536 or 65536  # 0 stands for 65536
    # the element's own VR may be the wrong one: both readings have the same 16 bits
    first %= 65536
    if signed and first > 32767:
        first -= 65536
    entries = _entries(value(item, "LUTData"), count, bits)
    if entries is None or not 8 <= bits <= 16:
        return None
    # a table that needs more bits than it declares shows itself
    bits = max(bits, int(entries.max()).bit_length())
    return Lut(first, bits, entries.astype("<u2").tobytes())


def _entries(found: object, count: int, bits: int) -> npt.NDArray[np.uint16] | None:
    """`count` entries of US or OW; 8-bit ones may lie two in a word (PS3.3 C.11.1.1.1)."""
    if isinstance(found, (bytes, bytearray)):
        data = bytes(found)
    else:
        try:
            words = np.array(list(found) if several(found) else [found], np.int64)  # type: ignore[call-overload]
        except (TypeError, ValueError, OverflowError):
            return None
        data = (words % 65536).astype("<u2").tobytes()
    if len(data) >= 2 * count:
        return np.frombuffer(data, "<u2", count)
    if bits == 8 and len(data) >= count:
        return np.frombuffer(data, "u1", count).astype(np.uint16)
    return None
