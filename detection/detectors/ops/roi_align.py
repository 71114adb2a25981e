"""RoIAlign (He et al., Mask R-CNN, 2017, section 3) in plain torch, with its gradient.

Pooling is a linear map of the feature pixels: each output bin is a weighted sum of the pixels near
its sample points. `sampling.plan` writes that map down once as a sparse matrix (which pixels, which
weights, per bin). Forward multiplies by it, backward by its transpose; both are one
`embedding_bag`, torch's threaded kernel for exactly this product.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own habit
from torch import Tensor

from . import torchvision_import
from .sampling import Plan, Pooling, plan

_AVERAGE = 1  # mmcv's pool_mode; 0 is max


def roi_align_forward(  # noqa: PLR0917 - mmcv's signature
    input: Tensor,
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,  # noqa: FBT001 - mmcv's signature
) -> None:
    """Pool each region of interest; signature of mmcv's compiled operator.

    A region with a coordinate that isn't finite, or whose right or bottom lies before its left or
    top (`aligned`), gives zeros and no gradient. NaN in a feature pixel shows in the bins that
    read that pixel.

    Args:
        input: (N, C, H, W) features.
        rois: (R, 5) as image index, left, top, right, bottom, in pixels of the network's input.
        output: (R, C, h, w), filled here.
        argmax_y: unused (max pooling only).
        argmax_x: unused.
        aligned_height: h.
        aligned_width: w.
        spatial_scale: feature pixels per input pixel.
        sampling_ratio: sample points per bin and axis; 0 for one per feature pixel.
        pool_mode: 1, average.
        aligned: shift by half a pixel (pixel centres at .5); else the older convention, where a
            region is at least one pixel wide.

    Raises:
        NotImplementedError: max pooling.
        IndexError: an image index outside of `input`.
    """
    pooling = Pooling(aligned_height, aligned_width, spatial_scale, sampling_ratio, aligned=aligned)
    rows = _usable_rows(rois, input.shape[0], pool_mode, pooling)
    if rows.numel() < rois.shape[0]:
        output.zero_()
    if rows.numel() == 0:
        return
    regions = rois[rows]
    if torchvision_import.kernels_load():
        output[rows] = torch.ops.torchvision.roi_align(
            input, regions.to(input.dtype), *pooling.as_torchvision()
        )
        return
    count, channels, height, width = input.shape
    pixels = input.permute(0, 2, 3, 1).reshape(count * height * width, channels)
    order, matrix = plan(regions, input.shape, pooling)
    bins = _multiply(matrix, pixels).view(rows.numel(), aligned_height, aligned_width, channels)
    output.index_copy_(0, rows[order], bins.permute(0, 3, 1, 2).contiguous())


def roi_align_backward(  # noqa: PLR0917 - mmcv's signature
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,  # noqa: FBT001 - mmcv's signature
) -> None:
    """Add to `grad_input` (N, C, H, W) the gradient of the features; else as the forward."""
    pooling = Pooling(aligned_height, aligned_width, spatial_scale, sampling_ratio, aligned=aligned)
    rows = _usable_rows(rois, grad_input.shape[0], pool_mode, pooling)
    if rows.numel() == 0:
        return
    count, channels, height, width = grad_input.shape
    regions, gradient = rois[rows], grad_output[rows]
    if torchvision_import.kernels_load():
        grad_input += torch.ops.torchvision._roi_align_backward(  # noqa: SLF001 - its only name
            gradient,
            regions.to(gradient.dtype),
            pooling.scale,
            aligned_height,
            aligned_width,
            count,
            channels,
            height,
            width,
            sampling_ratio,
            aligned,
        )
        return
    order, matrix = plan(regions, grad_input.shape, pooling)
    bins = gradient[order].permute(0, 2, 3, 1).reshape(-1, channels)
    pixels = _multiply(matrix.transposed(count * height * width), bins)
    pixels = pixels.view(count, height, width, channels)
    grad_input += pixels.permute(0, 3, 1, 2)


def _usable_rows(rois: Tensor, images: int, pool_mode: int, pooling: Pooling) -> Tensor:
    """Rows of the regions that can be pooled."""
    if pool_mode != _AVERAGE:
        raise NotImplementedError("roi_align without mmcv's compiled extension pools by average")
    usable = torch.isfinite(rois).all(dim=1)
    if pooling.aligned:
        usable &= (rois[:, 3] >= rois[:, 1]) & (rois[:, 4] >= rois[:, 2])
    rows = torch.nonzero(usable)[:, 0]
    image = rois[rows, 0]
    if bool(((image < 0) | (image >= images)).any()):
        raise IndexError(f"a region names an image outside of 0..{images - 1}")
    return rows


def _multiply(matrix: Plan, table: Tensor) -> Tensor:
    """Sparse matrix times (columns, channels); half precision is summed in float32."""
    dense = table.float() if table.dtype in (torch.float16, torch.bfloat16) else table
    product = F.embedding_bag(
        matrix.columns,
        dense.contiguous(),
        matrix.starts,
        mode="sum",
        per_sample_weights=matrix.weights.to(dense.dtype),
    )
    return product.to(table.dtype)
