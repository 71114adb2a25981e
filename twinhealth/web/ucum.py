"""UCUM codes as people write them, for pages; codes are what is stored and exchanged."""

from __future__ import annotations

import re
from functools import lru_cache

_WORDS = {
    "1": "",
    "Cel": "°C",
    "[degF]": "°F",
    "mm[Hg]": "mmHg",
    "mA.s": "mAs",
    "uGy": "µGy",
    "10*3/uL": "\N{MULTIPLICATION SIGN} 10³/µL",
    "10*9/L": "\N{MULTIPLICATION SIGN} 10⁹/L",
    "[lb_av]": "lb",
}


@lru_cache(maxsize=1024)  # a fleet says the same few units thousands of times
def unit_text(unit: str) -> str:
    """The unit for a page: `Cel` as °C, an annotation such as `{steps}` as its word, `1` unsaid."""
    if unit not in _WORDS and "/" in unit:
        above, _, below = unit.partition("/")
        return f"{unit_text(above)}/{unit_text(below)}"
    return _WORDS.get(unit, re.sub(r"\{([^}]*)\}", r" \1", unit).strip())
