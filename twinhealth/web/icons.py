"""The house's own icons, read once from the sprite beside this file."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

_SYMBOL = re.compile(r'<symbol id="([a-z-]+)">(.*?)</symbol>', re.DOTALL)

# name -> what stands inside <svg viewBox="0 0 24 24">; stroke is the text colour, nothing filled
SHAPES: Final[dict[str, str]] = dict(
    _SYMBOL.findall(Path(__file__).with_name("icons.svg").read_text(encoding="utf-8"))
)
