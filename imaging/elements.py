"""Reading one element of a DICOM dataset: never raises, whatever its bytes are."""

from __future__ import annotations

import math
from typing import Any

from pydicom.dataset import Dataset

from .texts import clean


def value(data: Dataset, keyword: str) -> Any:
    """The element's value, or `None` where it's absent or can't be read."""
    try:
        return data.get(keyword)
    except Exception:  # noqa: BLE001 - converting a hostile value may raise anything
        return None


def several(found: Any) -> bool:
    """Whether a value is a list of values."""
    return isinstance(found, (list, tuple)) or type(found).__name__ == "MultiValue"


def text(data: Dataset, keyword: str, limit: int = 64) -> str:
    """The value as one line of text, decoded by Specific Character Set, at most `limit` long."""
    found = value(data, keyword)
    if several(found):
        found = "\\".join(str(v) for v in found)
    return clean(str(found))[:limit] if found is not None else ""


def number(data: Dataset, keyword: str) -> float | None:
    """First value as a finite number, else `None`."""
    found = numbers(data, keyword)
    return found[0] if found else None


def numbers(data: Dataset, keyword: str) -> list[float]:
    """All values, if each is a finite number; else none."""
    found = loose(data, keyword)
    return found if all(math.isfinite(v) for v in found) else []


def integer(data: Dataset, keyword: str, default: int = 0) -> int:
    """First value as a whole number of sane size, else `default`."""
    found = number(data, keyword)
    return int(found) if found is not None and abs(found) < 2**40 else default


def loose(data: Dataset, keyword: str) -> list[float]:
    """Values as numbers, a bad one as NaN: one broken window doesn't spoil the next."""
    found = value(data, keyword)
    if found is None or (isinstance(found, str) and found == ""):
        return []
    out = []
    for item in found if several(found) else [found]:
        try:
            out.append(float(item))
        except (TypeError, ValueError, OverflowError):
            out.append(math.nan)
    return out
