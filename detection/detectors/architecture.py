"""A recipe as a network: mmdetection's own Cascade R-CNN, in the recipe's sizes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any, Final

from mmdet.registry import MODELS
from mmengine.config import Config
from mmengine.registry import DefaultScope
from torch import nn

from . import preprocess
from .film_head import FilmRoIHead
from .recipe import Recipe

_BASE: Final = ".mim/configs/_base_/models/cascade-rcnn_r50_fpn.py"
_STAGES: Final = {18: (64, 128, 256, 512), 34: (64, 128, 256, 512), 50: (256, 512, 1024, 2048)}


def model_config(recipe: Recipe, *, classes: int, min_score: float = 0.05) -> Config:
    """The network as mmdetection's registry wants it.

    Args:
        recipe: sizes and thresholds of its parts.
        classes: number of classes without background.
        min_score: candidates below aren't even compared with each other.

    Returns:
        The `model` section of a config. No weights are fetched from anywhere.
    """
    spec = importlib.util.find_spec("mmdet")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("mmdet isn't installed")
    model = Config.fromfile(Path(spec.origin).parent / _BASE).model
    wanted = recipe.model
    channels = wanted.fpn_channels
    model.data_preprocessor = {
        "type": "DetDataPreprocessor",
        "mean": [preprocess.MEAN] * 3,
        "std": [preprocess.STD] * 3,
        "bgr_to_rgb": False,
        "pad_size_divisor": preprocess.DIVISOR,
    }
    model.backbone.update(depth=wanted.depth, init_cfg=None, frozen_stages=-1)
    model.neck.update(in_channels=list(_STAGES[wanted.depth]), out_channels=channels)
    model.rpn_head.update(in_channels=channels, feat_channels=channels)
    model.roi_head.bbox_roi_extractor.out_channels = channels
    for head in model.roi_head.bbox_head:
        head.update(in_channels=channels, fc_out_channels=wanted.head_channels, num_classes=classes)
    if wanted.film_weight:
        model.roi_head.update(
            type=FilmRoIHead.__name__,
            film_channels=channels,
            film_classes=classes,
            film_weight=wanted.film_weight,
        )
    for stage, iou in zip(model.train_cfg.rcnn, wanted.stage_iou, strict=True):
        stage.assigner.update(pos_iou_thr=iou, neg_iou_thr=iou, min_pos_iou=iou)
        stage.sampler.num = recipe.training.regions
    model.test_cfg.rpn.max_per_img = wanted.proposals
    model.test_cfg.rcnn.update(score_thr=min_score)
    model.test_cfg.rcnn.nms.iou_threshold = wanted.nms_iou
    return model


def build(config: Config | dict[str, Any]) -> nn.Module:
    """Build a network from its config, with random weights."""
    with DefaultScope.overwrite_default_scope("mmdet"):
        model: nn.Module = MODELS.build(config)
    return model
