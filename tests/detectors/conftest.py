"""Films and weights for the detector's tests."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from detection.detectors import recipe

ROOT = Path(__file__).resolve().parents[2]
ACTIVE = ROOT / "detection" / "weights" / "active.pth"
DEMO = ROOT / "demo" / "images"
CATEGORIES = [  # not in the detector's order, and not its ids
    {"id": 7, "name": "normal"},
    {"id": 3, "name": "covid"},
    {"id": 5, "name": "pneumonia"},
]


@pytest.fixture
def coco_set(tmp_path):
    """A tiny annotated set: a function that writes it, with changes, and gives (json, folder)."""

    def write(count=3, size=(120, 150), **changes):
        folder = tmp_path / "films"
        folder.mkdir(exist_ok=True)
        rng = np.random.default_rng(5)
        images, annotations = [], []
        for i in range(count):
            film = rng.integers(0, 60, size, dtype=np.uint8)
            film[20:100, 20:60] = 200
            film[20:100, 90:130] = 180
            cv2.imwrite(str(folder / f"{i}.png"), film)
            images.append(
                {
                    "id": 10 + i,
                    "file_name": f"{i}.png",
                    "width": size[1],
                    "height": size[0],
                    "source": ("here", "there")[i % 2],
                }
            )
            annotations += [
                {
                    "id": len(annotations) + side,
                    "image_id": 10 + i,
                    "category_id": (3, 5, 7)[i % 3],
                    "bbox": [20 + 70 * side, 20, 40, 80],
                    "origin": ("human", "pseudo")[i % 2],
                }
                for side in (0, 1)
            ]
        table = {"images": images, "annotations": annotations, "categories": CATEGORIES} | changes
        path = tmp_path / "annotations.json"
        path.write_text(json.dumps(table))
        return path, folder

    return write


@pytest.fixture(scope="session")
def small():
    """The light network, on input so small that a test can afford to train it."""
    light = recipe.read("light")
    return dataclasses.replace(
        light,
        input=recipe.Input(longest_side=64),
        model=dataclasses.replace(light.model, proposals=40, fpn_channels=16, head_channels=16),
    )
