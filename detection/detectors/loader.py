"""The door to the detector: what others import. torch comes in only with `load_detector()`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
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


def load_detector(
    *,
    weights: Path,
    expected_sha256: str | None = None,
    threads: int | None = None,
    device: str | None = None,
    operators: str | None = None,
) -> Detector:
    """Load weights and build their network; takes seconds and some 400 MB the first time.

    Args:
        weights: a file written by `weights_file.save`.
        expected_sha256: refuse another file; `None` trusts it (a file of one's own making).
        threads: CPU threads of torch, for the whole process; else setting `DETECTOR_THREADS`.
        device: `cpu` or `cuda`; else setting `DETECTOR_DEVICE`.
        operators: `auto`, `adapter`, `compiled`; else setting `DETECTOR_OPS`.

    Raises:
        UnavailableError: `weights_missing`, `weights_wrong_hash`, `weights_damaged`,
            `weights_unsafe`, `weights_wrong_classes`, `weights_wrong_keys`, `weights_not_finite`,
            `detector_no_device`, or an error of `ops.install`.
    """
    from django.conf import settings

    from .engine import load

    return load(
        weights=weights,
        expected_sha256=expected_sha256,
        threads=threads or settings.DETECTOR_THREADS,
        device=device or settings.DETECTOR_DEVICE,
        operators=operators or settings.DETECTOR_OPS,
    )
