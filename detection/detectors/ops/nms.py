"""Greedy non-maximum suppression in plain torch, with the meaning of mmcv's compiled one."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from . import torchvision_import

_CHUNK = 256  # boxes settled at once; larger costs more pairs, smaller more steps


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int = 0) -> Tensor:
    """Indices of the boxes that stay, best score first.

    A box goes when its overlap with a better box that stays is *above* the threshold. Of equal
    scores the earlier box is the better one. Two boxes without area don't overlap. A box with a NaN
    score or a coordinate that isn't finite is never kept: it can't be compared, and letting it
    through would put it on a screen.

    Args:
        boxes: (N, 4) as left, top, right, bottom.
        scores: (N,).
        iou_threshold: share of the union, 0 to 1.
        offset: 1 where right and bottom are inclusive pixel indices, else 0.

    Returns:
        (K,) int64, on the device of `boxes`.
    """
    usable = torch.isfinite(boxes).all(dim=1) & ~torch.isnan(scores)
    index = torch.nonzero(usable)[:, 0]
    if index.numel() == 0:
        return index
    order = index[torch.sort(scores[index], descending=True, stable=True).indices]
    corners = boxes[order].float() if boxes.dtype == torch.float16 else boxes[order]
    if offset:
        corners = corners + corners.new_tensor([0, 0, offset, offset])
    if torchvision_import.kernels_load():
        ranks = torch.arange(order.numel(), 0, -1, device=order.device, dtype=corners.dtype)
        return order[torch.ops.torchvision.nms(corners, ranks, iou_threshold)]
    return order[_greedy(corners, iou_threshold)]


def _greedy(corners: Tensor, threshold: float) -> Tensor:
    """Positions that stay, for boxes in falling order.

    Chunk by chunk: what the boxes kept so far leave over is settled within the chunk, and joins
    them. Only kept boxes are compared with later ones, as the greedy rule says.
    """
    count = corners.shape[0]
    box = torch.cat([corners.T, _area(corners)[None]])  # (5, N): columns are contiguous in memory
    kept = torch.empty(0, dtype=torch.long, device=corners.device)
    for start in range(0, count, _CHUNK):
        here = torch.arange(start, min(start + _CHUNK, count), device=corners.device)
        if kept.numel():
            here = here[~_overlap(box[:, kept], box[:, here], threshold).any(dim=0)]
        inside = _overlap(box[:, here], box[:, here], threshold)
        kept = torch.cat([kept, here[_settle(inside)]])
    return kept


def _settle(overlaps: Tensor) -> Tensor:
    """Which of a few boxes in falling order stay, given who overlaps whom (n, n)."""
    rows = np.packbits(overlaps.cpu().numpy(), axis=1, bitorder="little")
    gone = 0
    stay = []
    for i, row in enumerate(rows):
        if not gone >> i & 1:
            stay.append(i)
            gone |= int.from_bytes(row.tobytes(), "little")
    return torch.tensor(stay, dtype=torch.long, device=overlaps.device)


def _area(corners: Tensor) -> Tensor:
    return (corners[:, 2] - corners[:, 0]) * (corners[:, 3] - corners[:, 1])


def _overlap(a: Tensor, b: Tensor, threshold: float) -> Tensor:
    """Whether boxes overlap by more than the threshold: (5, n), (5, m) -> (n, m).

    0 / 0 (two boxes without area) is NaN, which is above nothing.
    """
    width = torch.minimum(a[2, :, None], b[2]).sub_(torch.maximum(a[0, :, None], b[0]))
    height = torch.minimum(a[3, :, None], b[3]).sub_(torch.maximum(a[1, :, None], b[1]))
    shared = width.clamp_(min=0).mul_(height.clamp_(min=0))
    union = (a[4, :, None] + b[4]).sub_(shared)
    return shared.div_(union) > threshold
