"""What the gate can say, in codes for programs and sentences for people. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

# code -> what it is, for lists and counts
REASONS: Final = {
    "gate_too_small": "too small",
    "gate_empty": "empty",
    "gate_clipped": "clipped",
    "gate_lateral": "lateral view",
    "gate_body_part": "another body part",
    "gate_not_chest": "not a chest",
    "gate_rotated": "rotated",
    "gate_inverted": "inverted",
    "gate_cut_off": "cut off",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why the detector shouldn't read a film: a key of `REASONS`, and a sentence what to do."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Said:
    """What the header says of the picture; empty where it says nothing.

    Attributes:
        view_position: View Position (0018,5101).
        body_part: Body Part Examined (0018,0015).
    """

    view_position: str = ""
    body_part: str = ""
