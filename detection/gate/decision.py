"""The gate's decision: rules first, then what the picture looks like. No database, no disk."""

from __future__ import annotations

from typing import Final

from detection.detectors.preprocess import to_grey
from imaging.frame import Frame

from . import network, rules
from .network import FRONTAL, Network
from .refusal import Refusal, Said
from .thumbnail import features, reduce

_SENT = "If it is a frontal chest film all the same, have it read anyway."
# class of the picture -> what is said
LOOKS: Final = {
    "rotated_90": Refusal(
        "gate_rotated",
        "The picture looks turned by 90° clockwise. Send it upright: the detector would miss or "
        f"misplace what it shows. {_SENT}",
    ),
    "rotated_180": Refusal(
        "gate_rotated",
        "The picture looks upside down (turned by 180°). Send it upright: the detector would miss "
        f"or misplace what it shows. {_SENT}",
    ),
    "rotated_270": Refusal(
        "gate_rotated",
        "The picture looks turned by 90° anticlockwise. Send it upright: the detector would miss "
        f"or misplace what it shows. {_SENT}",
    ),
    "inverted": Refusal(
        "gate_inverted",
        "Black and white look exchanged against what the header says. Check the photometric "
        f"interpretation at the sender and send it again. {_SENT}",
    ),
    "cut_off": Refusal(
        "gate_cut_off",
        "A large part of the lungs looks cut off or covered by the collimator. Take the film again "
        "if it is meant to show both lungs. If it is all there is, have it read anyway.",
    ),
    "not_chest": Refusal(
        "gate_not_chest",
        "The picture doesn't look like a frontal chest film. Check what was sent, and read it "
        f"yourself. {_SENT}",
    ),
}


def decide(frame: Frame, said: Said, *, classifier: Network | None = None) -> Refusal | None:
    """Why the detector shouldn't read this film; `None` if it should.

    Args:
        frame: stored values as decoded. MONOCHROME1 and the sign of the slope are taken into
            account, so "inverted" means that the picture contradicts its own header.
        said: what the header says of view and body part.
        classifier: instead of the shipped one.
    """
    refusal = rules.by_header(said) or rules.by_size(frame)
    if refusal is not None:
        return refusal
    small = reduce(frame)
    grey = to_grey(small)
    refusal = rules.by_levels(small, grey)
    if refusal is not None:
        return refusal
    classifier = classifier or network.load()
    looks = classifier.looks(features(grey))
    return None if looks == FRONTAL else LOOKS[looks]
