"""Fonts of the PDF: DejaVu, which has Latin, Greek, Cyrillic and more; what lacks is shown so."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import reportlab
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

PLAIN: Final = "Report"
BOLD: Final = "Report-Bold"
# a box in the place of a character that can't be shown
INSTEAD: Final = "\N{WHITE SQUARE}"
# right to left needs shaping, which reportlab doesn't do: better a box than letters out of order
_RIGHT_TO_LEFT: Final = frozenset({"R", "AL", "AN", "RLE", "RLO", "RLI", "LRE", "LRO", "LRI"})


@lru_cache(maxsize=1)
def register() -> frozenset[int]:
    """Make the two fonts known to reportlab; the code points that both have."""
    fonts = [TTFont(name, str(path)) for name, path in zip((PLAIN, BOLD), _files(), strict=True)]
    for font in fonts:
        pdfmetrics.registerFont(font)
    pdfmetrics.registerFontFamily(PLAIN, normal=PLAIN, bold=BOLD, italic=PLAIN, boldItalic=BOLD)
    both = frozenset(fonts[0].face.charToGlyph) & frozenset(fonts[1].face.charToGlyph)
    # reportlab says of what lies beyond the first plane the wrong code: it could not be copied
    return frozenset(code for code in both if code <= 0xFFFF)


def shown(text: str) -> str:
    """The text with `INSTEAD` (a question mark where a font lacks even that) for what has no glyph.

    Tabs become spaces; line ends stay; other control and format characters go.
    """
    known = register()
    instead = INSTEAD if ord(INSTEAD) in known else "?"
    found = []
    for c in unicodedata.normalize("NFC", text).replace("\t", "    "):
        if c == "\n":
            found.append(c)
        elif unicodedata.bidirectional(c) in _RIGHT_TO_LEFT:
            found.append(instead)
        elif unicodedata.category(c) in {"Cc", "Cf", "Cs"}:
            continue
        else:
            found.append(c if ord(c) in known else instead)
    return "".join(found)


def _files() -> tuple[Path, Path]:
    """DejaVu, which comes with matplotlib; else Vera, reportlab's own, which is Latin only."""
    spec = find_spec("matplotlib")  # found, not imported: the web process doesn't need it
    for place in (spec.submodule_search_locations or []) if spec else []:
        folder = Path(place) / "mpl-data" / "fonts" / "ttf"
        files = (folder / "DejaVuSans.ttf", folder / "DejaVuSans-Bold.ttf")
        if all(file.exists() for file in files):
            return files
    own = Path(reportlab.__file__).parent / "fonts"
    return own / "Vera.ttf", own / "VeraBd.ttf"
