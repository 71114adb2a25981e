"""From a decoded film to the network's input: one way for training, evaluation and serving.

Film -> grey levels (`to_grey`) -> size (`fit`) -> normalised and padded (`normalise`). Training
puts its augmentation between these steps; `prepare` runs them one after the other. Numpy, and
OpenCV for resizing.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from imaging.frame import Frame

Grey = npt.NDArray[np.float32]

PERCENTILES: Final = (1.0, 99.0)  # of the central field: what becomes black and white
CENTRAL_SHARE: Final = 0.8  # of each side; labels, markers and collimator edges lie outside
WHITE: Final = 255.0
MEAN: Final = 115.0
STD: Final = 64.0
DIVISOR: Final = 32  # the coarsest feature map that the backbone makes is 1/32 of its input
_SAMPLE: Final = 1 << 20  # pixels that the percentiles look at


@dataclass(frozen=True, slots=True)
class Prepared:
    """The network's input.

    Attributes:
        pixels: (3, H, W) float32, H and W multiples of 32; the film lies at the top left.
        height, width: the film's size within `pixels`.
        scale_x, scale_y: pixels of the input per pixel of the stored image.
        stored_height, stored_width: size of the stored image.
    """

    pixels: npt.NDArray[np.float32]
    height: int
    width: int
    scale_x: float
    scale_y: float
    stored_height: int
    stored_width: int


def prepare(frame: Frame, *, longest_side: int = 384) -> Prepared:
    """All steps: what the network sees of a film.

    Args:
        frame: stored values as decoded.
        longest_side: pixels of the longer side in the input; belongs to the detector's version.

    Returns:
        The input and how to get back to stored pixels.
    """
    grey = fit(to_grey(frame), longest_side)
    height, width = grey.shape
    stored_height, stored_width = frame.pixels.shape
    return Prepared(
        pixels=normalise(grey),
        height=height,
        width=width,
        scale_x=width / stored_width,
        scale_y=height / stored_height,
        stored_height=stored_height,
        stored_width=stored_width,
    )


def to_grey(frame: Frame) -> Grey:
    """Grey levels 0 (black, air) to 255 (white, bone), in the film's own size.

    The window spans the 1st to 99th percentile of the central field. It is taken from the stored
    values, so 16-bit films keep their depth. A linear Modality LUT doesn't move percentiles; only
    the sign of its slope matters, which together with MONOCHROME1 decides what is black. Pixel
    padding is left out of the percentiles and becomes black. A film of one value becomes black.

    Args:
        frame: stored values as decoded.

    Returns:
        (rows, columns) float32, finite.
    """
    image = image_mask(frame)
    low, high = _window(frame.pixels, image)
    grey = frame.pixels.astype(np.float32)
    grey -= low
    grey *= WHITE / (high - low) if high > low else 0.0
    np.clip(grey, 0.0, WHITE, out=grey)
    if frame.low_is_white and high > low:
        np.subtract(WHITE, grey, out=grey)
    if image is not None:
        grey[~image] = 0.0
    return grey


def fit(grey: Grey, longest_side: int) -> Grey:
    """Resize so that the longer side has `longest_side` pixels; the ratio is kept."""
    height, width = grey.shape
    factor = longest_side / max(height, width)
    size = (max(round(width * factor), 1), max(round(height * factor), 1))
    return np.asarray(cv2.resize(grey, size, interpolation=cv2.INTER_LINEAR), np.float32)


def normalise(grey: Grey) -> npt.NDArray[np.float32]:
    """Mean 115, deviation 64, three equal channels, padded with zeros to multiples of 32.

    Args:
        grey: (rows, columns), 0 to 255.

    Returns:
        (3, H, W) float32.
    """
    height, width = grey.shape
    padded = np.zeros((3, _up(height), _up(width)), dtype=np.float32)
    padded[:, :height, :width] = (grey - MEAN) / STD
    return padded


def _up(side: int) -> int:
    return -(-side // DIVISOR) * DIVISOR


def image_mask(frame: Frame) -> npt.NDArray[np.bool_] | None:
    """True where there is image; None where all of it is."""
    if frame.padding is None:
        return None
    low, high = sorted(frame.padding)
    mask = (frame.pixels < low) | (frame.pixels > high)
    return None if mask.all() else mask


def _window(
    pixels: npt.NDArray[np.integer], image: npt.NDArray[np.bool_] | None
) -> tuple[float, float]:
    """Stored values that become black and white."""
    height, width = pixels.shape
    top, left = (round(side * (1 - CENTRAL_SHARE) / 2) for side in (height, width))
    # every n-th pixel of a large film: the percentiles of a million are those of sixteen million
    step = max(int(np.ceil(np.sqrt(height * width / _SAMPLE))), 1)
    central = np.s_[top : height - top : step, left : width - left : step]
    values = pixels[central] if image is None else pixels[central][image[central]]
    if values.size == 0:  # all of the central field is padding
        values = pixels if image is None else pixels[image]
    if values.size == 0:  # all of the film is
        return 0.0, 0.0
    low, high = np.percentile(values, PERCENTILES)
    return float(low), float(high)
