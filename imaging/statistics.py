"""Cheap figures of one picture, and its fingerprint. Pure numpy; runs beside the decoder."""

from __future__ import annotations

import hashlib

import numpy as np
import numpy.typing as npt

from .facts import Statistics

# larger pictures are measured on their central part: the figures are robust, the time is not
_NOISE_SIDE = 1024
_COLUMN_ROWS = 512
_MAD_TO_SIGMA = 1.4826  # for a normal distribution
_LAPLACIAN_GAIN = 6.0  # root of the sum of squares of the mask below

Pixels = npt.NDArray[np.integer]


def value_range(*, bits_stored: int, signed: bool) -> tuple[int, int]:
    """Lowest and highest value that `bits_stored` bits can hold."""
    if signed:
        return -(2 ** (bits_stored - 1)), 2 ** (bits_stored - 1) - 1
    return 0, 2**bits_stored - 1


def measure(pixels: Pixels, *, bits_stored: int, signed: bool) -> Statistics:
    """Mean, saturation, noise and dead columns of stored values.

    Noise is the median absolute deviation of the difference of two Laplacians
    (J. Immerkaer, Fast noise variance estimation, 1996), taken where nothing is clipped, so
    that anatomy, collimator edges and burnt-in text hardly move it.

    Args:
        pixels: (rows, columns) of stored values.
        bits_stored: 8 to 16.
        signed: whether they are two's complement.
    """
    low, high = value_range(bits_stored=bits_stored, signed=signed)
    span = high - low
    smallest, largest = int(pixels.min()), int(pixels.max())
    return Statistics(
        mean=round(100.0 * (float(pixels.mean(dtype=np.float64)) - low) / span, 4),
        saturated=round(100.0 * float(np.count_nonzero(pixels >= high)) / pixels.size, 4),
        clipped=round(100.0 * float(np.count_nonzero(pixels <= low)) / pixels.size, 4),
        noise=round(_noise(_centre(pixels, _NOISE_SIDE, _NOISE_SIDE), low, high) / span, 7),
        dead_columns=_dead_columns(_centre(pixels, _COLUMN_ROWS, pixels.shape[1]), span),
        constant=smallest == largest,
    )


def _centre(pixels: Pixels, height: int, width: int) -> npt.NDArray[np.int32]:
    rows, columns = pixels.shape
    top, left = max(0, (rows - height) // 2), max(0, (columns - width) // 2)
    return pixels[top : top + height, left : left + width].astype(np.int32)


def _noise(part: npt.NDArray[np.int32], low: int, high: int) -> float:
    """Sigma in stored values; 0 where the picture is too small or clipped all over."""
    if min(part.shape) < 3:
        return 0.0
    across = part[:, :-2] - 2 * part[:, 1:-1] + part[:, 2:]
    laplacian = across[:-2] - 2 * across[1:-1] + across[2:]
    inner = part[1:-1, 1:-1]
    usable = laplacian[(inner > low) & (inner < high)]
    if usable.size == 0:
        return 0.0
    deviation = float(np.median(np.abs(usable - np.median(usable))))
    return _MAD_TO_SIGMA * deviation / _LAPLACIAN_GAIN


def _dead_columns(part: npt.NDArray[np.int32], span: int) -> int:
    """Columns that differ from two neighbours which agree with each other, all the way down."""
    if part.shape[1] < 8 or part.shape[0] < 8:
        return 0
    left, middle, right = part[:, :-2], part[:, 1:-1], part[:, 2:]
    dip = np.median(middle - (left + right) / 2, axis=0)
    step = np.abs(np.median(right - left, axis=0))
    spread = _MAD_TO_SIGMA * float(np.median(np.abs(dip - np.median(dip))))
    limit = max(8 * spread, 0.01 * span)
    return int(np.count_nonzero((np.abs(dip) > limit) & (step < 0.25 * np.abs(dip))))


def fingerprint(pixels: Pixels, *, photometric: str, bits_stored: int, signed: bool) -> str:
    """SHA-256 of what is seen: size and stored values, however they were packed.

    Two files of one picture agree whether they are compressed or not, in 8 or 16 bits allocated,
    and whether low is black (MONOCHROME2) or, with inverted values, white (MONOCHROME1).

    Args:
        pixels: (rows, columns) of stored values.
        photometric: `MONOCHROME1` or `MONOCHROME2`.
        bits_stored: how many bits hold a value.
        signed: whether they are two's complement.
    """
    low, high = value_range(bits_stored=bits_stored, signed=signed)
    rows, columns = pixels.shape
    digest = hashlib.sha256(f"{rows}x{columns}:".encode())
    step = max(1, (1 << 20) // columns)
    for top in range(0, rows, step):
        block = pixels[top : top + step].astype("<i4")
        if photometric == "MONOCHROME1":
            block = low + high - block
        digest.update(np.ascontiguousarray(block, dtype="<i4").tobytes())
    return digest.hexdigest()
