"""Placeholders of text blocks. Pure."""

from __future__ import annotations

import re
from typing import Final

# placeholder -> what it becomes
PLACEHOLDERS: Final = {
    "class": "class of the finding that is selected, else of the first that stands",
    "side": "its side of the picture",
    "date": "day of the exposure",
    "view": "view of the film",
    "machine": "name of the machine",
    "age": "age at the exposure, in years",
    "sex": "sex of the patient",
}
_MARK = re.compile(r"\{([^{}\n]{0,40})\}")


def unknown(text: str) -> list[str]:
    """What stands in braces and isn't a placeholder, in order."""
    return [name for name in _MARK.findall(text) if name not in PLACEHOLDERS]


def left(text: str) -> list[str]:
    """Placeholders that nobody filled in."""
    return [name for name in _MARK.findall(text) if name in PLACEHOLDERS]
