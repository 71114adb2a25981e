"""The caps that a request to the decoding process carries."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Limits:
    """Checked against what a file declares, before anything is decoded.

    Attributes:
        bytes: of a file, and of what a deflated one inflates to.
        pixels: rows times columns.
        side: rows or columns.
        frames: of one file.
    """

    bytes: int
    pixels: int
    side: int
    frames: int

    def to_json(self) -> dict[str, Any]:
        """JSON-safe dict; `from_json` is its inverse."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Build from what `to_json` gave."""
        return cls(**{name: int(data[name]) for name in ("bytes", "pixels", "side", "frames")})
