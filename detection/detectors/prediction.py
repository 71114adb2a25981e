"""What the detector gives and how it is called; no torch, so that anybody may import it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from imaging.frame import Frame


class Box(NamedTuple):
    """One finding: label, score 0 to 1, left, top, width, height in pixels of the stored image."""

    label: str
    score: float
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Prediction:
    """What the detector saw in one film, best first, and how long it took (seconds)."""

    boxes: list[Box]
    seconds: float


@dataclass(frozen=True, slots=True)
class VersionInfo:
    """Which weights read: name, hash, recipe, classes in the order of the outputs, thresholds."""

    name: str
    sha256: str
    config: str
    classes: tuple[str, ...]
    thresholds: dict[str, float]
    image_size: int


class Detector(Protocol):
    """A loaded model; one thread at a time."""

    @property
    def version_info(self) -> VersionInfo:
        """Which weights these are."""

    def predict(self, frame: Frame, *, min_score: float | None = None) -> Prediction:
        """Find lungs and what they look like.

        Args:
            frame: the decoded film.
            min_score: one threshold for all classes; the version's own per class unless given.

        Returns:
            Boxes inside the image, each with an area.

        Raises:
            UnavailableError: `detector_broken`, if the network's numbers aren't finite.
        """
