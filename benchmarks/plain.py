"""The same weights in mmdetection's own hands: `inference_detector` with its own pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from mmengine.config import Config

PROPOSALS = 1000  # that mmdetection's Cascade R-CNN hands to its heads


def stock(weights: Path, *, proposals: int | None = PROPOSALS) -> Callable[[Any], Any]:
    """A function from a decoded film to mmdetection's result, boxes in pixels of the film.

    The film's grey levels are taken as the product takes them, so that both networks see the same.

    Args:
        weights: a file of the product.
        proposals: regions to the heads; `None` for the recipe's own number.
    """
    from mmdet.apis import inference_detector
    from mmengine.dataset import Compose
    from mmengine.registry import DefaultScope

    from detection.detectors import preprocess, recipe, weights_file
    from detection.detectors.architecture import build, model_config
    from detection.detectors.engine import FLOOR

    stored = weights_file.read(weights)
    config = model_config(recipe.read(stored.meta.config), classes=3, min_score=FLOOR)
    if proposals:
        config.test_cfg.rpn.max_per_img = proposals
    model: Any = build(config)
    model.load_state_dict(stored.state)
    model.cfg = Config({})
    model.eval()
    side = stored.meta.image_size
    with DefaultScope.overwrite_default_scope("mmdet"):
        pipeline = Compose(
            [
                {"type": "LoadImageFromNDArray"},
                {"type": "Resize", "scale": (side, side), "keep_ratio": True},
                {
                    "type": "PackDetInputs",
                    "meta_keys": ("img_id", "ori_shape", "img_shape", "scale_factor"),
                },
            ]
        )

    def predict(frame: Any) -> Any:
        grey = preprocess.to_grey(frame)
        picture: npt.NDArray[np.float32] = np.repeat(grey[:, :, None], 3, axis=2)
        return inference_detector(model, picture, test_pipeline=pipeline)

    return predict


def boxes(result: Any, *, least: float) -> list[tuple[int, float, list[float]]]:
    """(class number, score, corners) of a result's boxes from a score on."""
    found = result.pred_instances
    return [
        (int(label), float(score), [float(edge) for edge in corners])
        for label, score, corners in zip(found.labels, found.scores, found.bboxes, strict=True)
        if float(score) >= least
    ]
