"""Rules of the gate that need no classifier: header, size, grey levels. Pure.

Each gives a refusal or `None`. What a rule doesn't know passes: a film that is read for nothing
costs less than one that isn't read.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from detection.detectors.preprocess import CENTRAL_SHARE, PERCENTILES, WHITE, Grey
from imaging.frame import Frame

from .refusal import Refusal, Said

# View Position (PS3.3 C.8.7.1.1.8) of a beam from side to side. Decubitus (LLD, RLD) and oblique
# views (LLO, RLO) pass: they show both lungs.
LATERAL: Final = frozenset({"LL", "RL", "LAT", "LATERAL", "LEFT LATERAL", "RIGHT LATERAL"})
# Body Part Examined (PS3.16 Annex L) of films without lungs. Neighbours of the chest pass:
# abdomen, shoulder, ribs, sternum, spine, whole body, and every word that isn't here.
ELSEWHERE: Final = frozenset({
    "ANKLE", "CALCANEUS", "CALF", "ELBOW", "EXTREMITY", "FEMUR", "FINGER", "FOOT", "FOREARM",
    "HAND", "HEAD", "HIP", "JAW", "KNEE", "LEG", "LOWERLEG", "MAXILLA", "NASALBONE", "ORBIT",
    "PATELLA", "PELVIS", "SINUS", "SKULL", "TEETH", "THIGH", "THUMB", "TIBIA", "TOE", "WRIST",
    "ZYGOMA",
})  # fmt: skip
SMALLEST: Final = 128  # pixels of the shorter side; ribs of an adult are still told apart
FEWEST_LEVELS: Final = 8  # stored values between the black and the white of the central field
CLIPPED_SHARE: Final = (
    0.5  # of the central field; readable films stay below 0.2, made cases above 0.7
)


def by_header(said: Said) -> Refusal | None:
    """View and body part as the header gives them."""
    view = said.view_position.strip().upper()
    if view in LATERAL:
        return Refusal(
            "gate_lateral",
            f"The header says that this is a lateral view ({view}); the detector reads frontal "
            "films alone. Read it yourself.",
        )
    part = said.body_part.strip().upper()
    if part.replace(" ", "").replace("_", "") in ELSEWHERE:
        return Refusal(
            "gate_body_part",
            f"The header says that this is a film of another body part ({part[:32]}). If it shows "
            "a chest, correct the protocol at the machine and have it read anyway.",
        )
    return None


def by_size(frame: Frame) -> Refusal | None:
    """Enough pixels to show a lung."""
    height, width = frame.pixels.shape
    if min(height, width) >= SMALLEST:
        return None
    return Refusal(
        "gate_too_small",
        f"The picture has {width} x {height} pixels, too few to see a lung; {SMALLEST} on the "
        "shorter side are the least. Send the film itself instead of a preview.",
    )


def by_levels(small: Frame, grey: Grey) -> Refusal | None:
    """Something on it, and not only black and white.

    Args:
        small: the reduced film's stored values.
        grey: the same as grey levels.
    """
    if _levels(small) < FEWEST_LEVELS:
        return Refusal(
            "gate_empty",
            "There is next to nothing on the picture. Look at it: if the exposure failed, take "
            "the film again.",
        )
    share = clipped_share(grey)
    if share <= CLIPPED_SHARE:
        return None
    return Refusal(
        "gate_clipped",
        f"{share:.0%} of the picture is plain black or white: most of the film was lost in its "
        "window. Send the film as the machine took it.",
    )


def clipped_share(grey: Grey) -> float:
    """Share of the central field, 0 to 1, that is plain black or white; about 0.02 of any film.

    Rows and columns that are black from end to end are left out: that is the collimator.
    """
    central = _central(grey)
    light = central > 0
    lit = central[np.ix_(light.any(axis=1), light.any(axis=0))]
    return float(np.mean((lit <= 0) | (lit >= WHITE))) if lit.size else 1.0


def _levels(small: Frame) -> float:
    values = _central(small.pixels)
    if small.padding is not None:
        low, high = sorted(small.padding)
        values = values[(values < low) | (values > high)]
    if values.size == 0:
        return 0.0
    low, high = np.percentile(values, PERCENTILES)
    return float(high - low)


def _central(pixels: np.ndarray) -> np.ndarray:
    height, width = pixels.shape
    top, left = (round(side * (1 - CENTRAL_SHARE) / 2) for side in (height, width))
    return pixels[top : height - top, left : width - left]
