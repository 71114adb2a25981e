"""The operators again, written the slow way from their definitions: loops over plain numbers."""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812


def nms_by_loops(boxes, scores, threshold, offset=0):
    """Take the best box left, drop what overlaps it, repeat. float32, as the operator."""
    boxes = np.asarray(boxes, dtype=np.float32).reshape(-1, 4)
    scores = np.asarray(scores, dtype=np.float32)
    left = [i for i in range(len(boxes)) if np.isfinite(boxes[i]).all() and not np.isnan(scores[i])]
    kept = []
    while left:
        best = max(left, key=lambda i: (scores[i], -i))
        kept.append(best)
        left = [
            i for i in left if i != best and not overlap(boxes[best], boxes[i], offset) > threshold
        ]
    return kept


def overlap(a, b, offset=0):
    """Share of the union; NaN for two boxes without area."""
    one = np.float32(offset)
    width = np.float32(max(min(a[2], b[2]) + one - max(a[0], b[0]), 0))
    height = np.float32(max(min(a[3], b[3]) + one - max(a[1], b[1]), 0))
    shared = width * height
    area = (a[2] + one - a[0]) * (a[3] + one - a[1])
    other = (b[2] + one - b[0]) * (b[3] + one - b[1])
    union = area + other - shared
    return shared / union if union != 0 else math.nan


def a_sample_is_on_the_cut(rois, shape, size, scale, ratio, aligned):
    """Whether a sample lies exactly a pixel outside, where rounding decides if it counts."""
    for _, *box in rois.tolist():
        left, top, right, bottom = (v * scale - (0.5 if aligned else 0.0) for v in box)
        w, h = right - left, bottom - top
        if not aligned:
            w, h = max(w, 1.0), max(h, 1.0)
        for low, length, bins, end in ((left, w, size[1], shape[1]), (top, h, size[0], shape[0])):
            n = bins * (ratio if ratio > 0 else max(math.ceil(length / bins), 1))
            at = low + (np.arange(n) + 0.5) * length / n
            if min(abs(at + 1).min(), abs(at - end).min()) < 1e-9:
                return True
    return False


def roi_align_by_grid_sample(features, rois, size, scale=1.0, ratio=0, aligned=True):
    """One region at a time: `grid_sample` at each sample point, then the mean of each bin.

    `grid_sample` with `padding_mode="border"` repeats the edge; samples more than a pixel outside
    are set to zero by hand, as the definition says.
    """
    height_out, width_out = size
    _, channels, height, width = features.shape
    out = []
    for image, *box in rois.tolist():
        left, top, right, bottom = (v * scale - (0.5 if aligned else 0.0) for v in box)
        w, h = right - left, bottom - top
        if not aligned:
            w, h = max(w, 1.0), max(h, 1.0)
        nx = ratio if ratio > 0 else math.ceil(w / width_out)
        ny = ratio if ratio > 0 else math.ceil(h / height_out)
        if nx <= 0 or ny <= 0:
            out.append(features.new_zeros(channels, height_out, width_out))
            continue
        xs = left + (torch.arange(width_out * nx, dtype=features.dtype) + 0.5) * w / (
            width_out * nx
        )
        ys = top + (torch.arange(height_out * ny, dtype=features.dtype) + 0.5) * h / (
            height_out * ny
        )
        inside = ((ys >= -1) & (ys <= height))[:, None] & ((xs >= -1) & (xs <= width))[None]
        grid = torch.stack(
            torch.broadcast_tensors(
                (2 * xs / max(width - 1, 1) - 1)[None, :],
                (2 * ys / max(height - 1, 1) - 1)[:, None],
            ),
            dim=-1,
        )
        sampled = F.grid_sample(
            features[int(image)][None], grid[None], padding_mode="border", align_corners=True
        )[0]
        sampled = torch.where(inside, sampled, 0.0)
        out.append(F.avg_pool2d(sampled[None], (ny, nx))[0])
    if not out:
        return features.new_zeros(0, channels, height_out, width_out)
    return torch.stack(out)
