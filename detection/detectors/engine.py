"""The detector with torch: weights into the network, a film through it, boxes back to it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import cv2
import torch
from torch import Tensor, nn

from imaging.frame import Frame
from twinhealth.errors import UnavailableError

from . import openmmlab, preprocess, recipe, weights_file
from .prediction import Box, Prediction, VersionInfo

# Candidates below are never shown or measured; comparing them all with each other costs time.
FLOOR: Final = 0.01


class TorchDetector:
    """A Cascade R-CNN ready to read; implements `loader.Detector`.

    Batch norm is folded into the convolutions, and tensors lie channels last: a tenth less time on
    a CPU (benchmarks/detector.py), the same numbers but for rounding.
    """

    def __init__(
        self, model: nn.Module, info: VersionInfo, device: torch.device, *, film_share: float = 0.0
    ) -> None:
        from mmcv.cnn import fuse_conv_bn

        self.version_info = info
        self._device = device
        self._film_share = film_share
        self._model: Any = fuse_conv_bn(model.eval()).to(
            device=device, memory_format=torch.channels_last
        )

    def predict(self, frame: Frame, *, min_score: float | None = None) -> Prediction:
        """See `loader.Detector.predict`."""
        start = time.perf_counter()
        info = self.version_info
        prepared = preprocess.prepare(frame, longest_side=info.image_size)
        if min_score is None:
            wanted = [info.thresholds[label] for label in info.classes]
        else:
            wanted = [min_score] * len(info.classes)
        corners, scores, labels = self._forward(prepared, max(min(wanted), FLOOR))
        boxes = [
            box
            for edges, score, label in zip(
                corners.tolist(), scores.tolist(), labels.tolist(), strict=True
            )
            if score >= wanted[label]
            and (box := _to_stored(info.classes[label], score, edges, prepared))
        ]
        return Prediction(boxes, time.perf_counter() - start)

    @torch.inference_mode()
    def _forward(
        self, prepared: preprocess.Prepared, floor: float
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Corners (N, 4) in pixels of the input, scores and label numbers (N,), best first."""
        from mmdet.structures import DetDataSample

        pixels = torch.from_numpy(prepared.pixels)[None].to(
            device=self._device, memory_format=torch.channels_last
        )
        shape = (prepared.height, prepared.width)
        padded = tuple(pixels.shape[2:])
        meta = {
            "img_shape": shape,
            "ori_shape": shape,
            "scale_factor": (1.0, 1.0),
            "pad_shape": padded,
            "batch_input_shape": padded,
        }
        features = self._model.extract_feat(pixels)
        if not all(bool(torch.isfinite(level).all()) for level in features):
            raise UnavailableError(
                "detector_broken", "The detector's numbers aren't finite; its weights are unusable."
            )
        regions = self._model.rpn_head.predict(
            features, [DetDataSample(metainfo=meta)], rescale=False
        )
        head = self._model.roi_head
        limits = head.test_cfg.copy()
        # the film's word may raise a box's score, so the floor counts after it
        limits.score_thr = FLOOR if self._film_share else floor
        found = head.predict_bbox(features, [meta], regions, rcnn_test_cfg=limits)[0]
        corners, scores, labels = found.bboxes.cpu(), found.scores.cpu(), found.labels.cpu()
        if self._film_share:
            from .film_head import blend

            words = head.name_film(features)[0].cpu()
            scores, order = blend(scores, labels, words, self._film_share).sort(descending=True)
            corners, labels = corners[order], labels[order]
        return corners, scores, labels


def load(
    *, weights: Path, expected_sha256: str | None, threads: int, device: str, operators: str
) -> TorchDetector:
    """See `loader.load_detector`; here every choice is given."""
    stored = weights_file.read(weights, expected_sha256)
    torch.set_num_threads(threads)
    cv2.setNumThreads(threads)
    openmmlab.load(operators)
    from .architecture import build, model_config

    meta = stored.meta
    try:
        target = torch.device(device)
        torch.empty(0, device=target)
    except (RuntimeError, AssertionError) as error:
        raise UnavailableError(
            "detector_no_device", f"DETECTOR_DEVICE is '{device}', which torch can't use here."
        ) from error
    wanted = recipe.read(meta.config)
    model = build(model_config(wanted, classes=len(meta.classes)))
    try:
        model.load_state_dict(stored.state, strict=True)
    except RuntimeError as error:
        raise UnavailableError(
            "weights_wrong_keys",
            f"The weights file {weights.name} doesn't fit the network '{meta.config}'.",
            detail=str(error)[:500],
        ) from error
    info = VersionInfo(
        name=meta.name,
        sha256=stored.sha256,
        config=meta.config,
        classes=meta.classes,
        thresholds=dict(meta.thresholds),
        image_size=meta.image_size,
    )
    return TorchDetector(model, info, target, film_share=wanted.model.film_share)


def _to_stored(
    label: str, score: float, edges: Sequence[float], prepared: preprocess.Prepared
) -> Box | None:
    """A box in pixels of the stored image, cut at its edges; `None` if nothing of it is inside."""
    left, top, right, bottom = edges
    width, height = float(prepared.stored_width), float(prepared.stored_height)
    x1 = min(max(left / prepared.scale_x, 0.0), width)
    y1 = min(max(top / prepared.scale_y, 0.0), height)
    x2 = min(max(right / prepared.scale_x, 0.0), width)
    y2 = min(max(bottom / prepared.scale_y, 0.0), height)
    if x2 <= x1 or y2 <= y1:
        return None
    return Box(label, score, x1, y1, x2 - x1, y2 - y1)
