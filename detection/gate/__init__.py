"""The image gate: is this a picture that the detector was made for? Decided before it reads.

Importing this package loads neither OpenCV nor the classifier: the web process asks nothing.
"""

from __future__ import annotations

from imaging.frame import Frame

from .refusal import REASONS, Refusal, Said

__all__ = ["REASONS", "Refusal", "Said", "decide"]


def decide(frame: Frame, said: Said | None = None) -> Refusal | None:
    """Why the detector shouldn't read a film, or `None`; see `decision.decide`."""
    from .decision import decide as by_rules_and_picture  # noqa: PLC0415 - OpenCV is for workers

    return by_rules_and_picture(frame, said or Said())
