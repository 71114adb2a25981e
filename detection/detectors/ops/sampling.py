"""Where RoIAlign looks: the sparse matrix from feature pixels to output bins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True)
class Pooling:
    """How regions are pooled; see `roi_align.roi_align_forward`."""

    height: int
    width: int
    scale: float
    ratio: int
    aligned: bool

    def as_torchvision(self) -> tuple[float, int, int, int, bool]:
        """The arguments of torchvision's operator, in its order."""
        return self.scale, self.height, self.width, self.ratio, self.aligned


@dataclass(frozen=True, slots=True)
class Plan:
    """A sparse matrix in rows: row i holds `columns[starts[i]:starts[i + 1]]` with `weights`."""

    columns: Tensor
    weights: Tensor
    starts: Tensor

    def transposed(self, columns: int) -> Plan:
        """Rows become columns; the result has as many rows as this one has columns."""
        lengths = torch.diff(self.starts, append=self.starts.new_tensor([len(self.columns)]))
        rows = torch.repeat_interleave(lengths)
        order = torch.sort(self.columns, stable=True).indices
        counts = torch.bincount(self.columns, minlength=columns)
        return Plan(rows[order], self.weights[order], _starts(counts))


class _Axis(NamedTuple):
    """One axis of all regions: bin (r, b) reads the pixels from `first` on, `reach[r]` of them.

    Shapes: first (R, bins); reach (R,); weights (R, bins, longest reach), zero where not needed.
    """

    first: Tensor
    reach: Tensor
    weights: Tensor


def plan(rois: Tensor, shape: torch.Size, pooling: Pooling) -> tuple[Tensor, Plan]:
    """The matrix (R * h * w, N * H * W) of a pooling.

    Regions whose bins reach equally far are laid out together, so that plain broadcasting fills
    them without much padding; that is why they come in another order.

    Args:
        rois: (R, 5), R > 0, all finite, image index within `shape`.
        shape: (N, C, H, W) of the features.
        pooling: how.

    Returns:
        The order of the regions (R,), and the matrix with rows in that order of regions, then bin
        row, then bin column.
    """
    _, _, height, width = shape
    real = torch.float64 if rois.dtype == torch.float64 else torch.float32
    box = rois[:, 1:].to(real) * pooling.scale - (0.5 if pooling.aligned else 0.0)
    extent = box[:, 2:] - box[:, :2]
    if not pooling.aligned:
        extent = extent.clamp(min=1.0)
    across = _axis(box[:, 0], extent[:, 0], pooling.width, width, pooling.ratio)
    down = _axis(box[:, 1], extent[:, 1], pooling.height, height, pooling.ratio)
    image = rois[:, 0].long()

    kind = down.reach * (width + 1) + across.reach
    order = torch.sort(kind, stable=True).indices
    kinds, members = torch.unique_consecutive(kind[order], return_counts=True)
    columns, weights, lengths = [], [], []
    for key, rows in zip(kinds.tolist(), order.split(members.tolist()), strict=True):
        ny, nx = divmod(key, width + 1)
        y = _run(down.first[rows], ny, height) + image[rows, None, None] * height
        x = _run(across.first[rows], nx, width)
        wy, wx = down.weights[rows, :, :ny], across.weights[rows, :, :nx]
        columns.append(_outer(torch.add, y * width, x))
        weights.append(_outer(torch.mul, wy, wx))
        lengths.append(y.new_full((len(rows) * pooling.height * pooling.width,), ny * nx))
    return order, Plan(torch.cat(columns), torch.cat(weights), _starts(torch.cat(lengths)))


def _run(first: Tensor, reach: int, size: int) -> Tensor:
    """Pixels of each bin's run, (R, bins, reach); at the map's end the last one again."""
    return (first[..., None] + torch.arange(reach, device=first.device)).clamp_(max=size - 1)


def _outer(combine: Callable[[Tensor, Tensor], Tensor], y: Tensor, x: Tensor) -> Tensor:
    """(R, h, ny) with (R, w, nx) to (R * h * w * ny * nx)."""
    return combine(y[:, :, None, :, None], x[:, None, :, None, :]).reshape(-1)


def _axis(start: Tensor, extent: Tensor, bins: int, size: int, ratio: int) -> _Axis:
    """Sample points of each bin along one axis, as weights on whole pixels.

    A sample between two pixels is shared between them; one that lies more than a pixel outside of
    the map counts as zero; within that pixel the edge is repeated.
    """
    step = (extent / bins)[:, None, None]
    samples = torch.full_like(step, ratio) if ratio > 0 else step.ceil()
    number = torch.arange(max(int(samples.max()), 1), device=start.device, dtype=start.dtype)
    lower = torch.arange(bins, device=start.device, dtype=start.dtype)[:, None]
    spread = (number + 0.5) / samples.clamp(min=1)  # (R, 1, S), share of the bin
    at = start[:, None, None] + (lower + spread) * step  # (R, bins, S)
    real = number < samples
    counts = real & (at >= -1) & (at <= size)
    share = counts.to(at.dtype) / samples.clamp(min=1)

    at = at.clamp(0, size - 1)
    low = at.floor()
    toward_next = at - low
    low = low.long()
    first = low[..., 0]
    place = torch.where(real, low - first[..., None], 0)
    reach = place.amax(dim=(1, 2)) + 2  # one more for the right neighbour
    weights = at.new_zeros(len(start), bins, int(reach.max()))
    weights.scatter_add_(2, place, share * (1 - toward_next))
    weights.scatter_add_(2, place + 1, share * toward_next)
    return _Axis(first, reach.clamp(max=size), weights)


def _starts(lengths: Tensor) -> Tensor:
    """Where each run begins when runs of these lengths follow one another."""
    return lengths.cumsum(0) - lengths
