"""Films as training sees them: serving's preprocessing with chance between its steps."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils.data import Dataset

from imaging.pixels import read_file

from . import augment, preprocess, recipe
from .classes import CLASSES
from .coco import CocoSet


class FilmDataset(Dataset[dict[str, Any]]):
    """Films as the network wants them: grey levels by `preprocess.to_grey`, changed at random."""

    def __init__(self, films: CocoSet, wanted: recipe.Recipe) -> None:
        self._films = films.films
        self._recipe = wanted
        self._levels: dict[int, augment.Levels] = {}  # of the films that were seen

    def __len__(self) -> int:
        return len(self._films)

    def __getitem__(self, index: int) -> dict[str, Any]:
        """`{"inputs": (3, H, W) grey levels 0..255, "data_samples": DetDataSample}`."""
        from mmdet.structures import DetDataSample
        from mmengine.structures import InstanceData

        film = self._films[index]
        recipe = self._recipe.training
        rng = np.random.default_rng(int(torch.randint(2**31, ())))
        boxes = np.array(
            [[x, y, x + w, y + h] for x, y, w, h in (t.box for t in film.boxes)], np.float32
        ).reshape(-1, 4)
        frame, boxes = augment.crop_to_lungs(read_file(film.path), boxes, recipe, rng)
        side = round(self._recipe.input.longest_side * rng.uniform(*recipe.scale))
        height, width = frame.pixels.shape
        grey = preprocess.fit(preprocess.to_grey(frame), side)
        boxes = boxes * np.tile([grey.shape[1] / width, grey.shape[0] / height], 2)
        if recipe.match:
            self._levels[index] = augment.levels(grey)
        grey = augment.match(grey, list(self._levels.values()), recipe, rng)
        grey, boxes = augment.mirror(grey, boxes.astype(np.float32), recipe, rng)
        grey, boxes = augment.turn(grey, boxes, recipe, rng)
        grey = augment.blank_border(grey, boxes, recipe, rng)
        grey = augment.expose(grey, recipe, rng)
        sample = DetDataSample(
            metainfo={
                "img_id": film.id,
                "img_shape": grey.shape,
                "ori_shape": grey.shape,
                "scale_factor": (1.0, 1.0),
            }
        )
        sample.gt_instances = InstanceData(
            bboxes=torch.from_numpy(boxes),
            labels=torch.tensor([CLASSES.index(t.label) for t in film.boxes], dtype=torch.long),
        )
        return {
            "inputs": torch.from_numpy(grey).expand(3, *grey.shape),
            "data_samples": sample,
        }
