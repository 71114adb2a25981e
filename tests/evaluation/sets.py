"""Random annotated sets with what a detector might have found in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from detection.detectors.classes import CLASSES
from detection.detectors.coco import Film, Truth
from detection.detectors.prediction import Box


def random_set(seed, films=24, *, crowds=True, patients=9):
    """Films of all kinds: no box, several of a class, crowds, boxes by people; equal scores."""
    rng = np.random.default_rng(seed)
    made, found = [], {}
    for i in range(films):
        label = CLASSES[rng.integers(3)]
        truths = []
        for _ in range(rng.integers(0, 5)):
            x, y, w, h = rng.uniform(5, 60, 4)
            truths.append(
                Truth(
                    label if rng.random() < 0.8 else CLASSES[rng.integers(3)],
                    (x, y, w, h),
                    "human" if rng.random() < 0.5 else "pseudo",
                    crowd=bool(crowds and rng.random() < 0.2),
                )
            )
        boxes = []
        for truth in truths:
            for _ in range(rng.integers(0, 4)):
                x, y, w, h = np.array(truth.box) + rng.normal(0, rng.choice([0.5, 3, 8]), 4)
                name = truth.label if rng.random() < 0.7 else CLASSES[rng.integers(3)]
                # one digit: many scores are equal, within a film and between films
                boxes.append(Box(name, round(rng.random(), 1), x, y, max(w, 1), max(h, 1)))
        boxes += [
            Box(CLASSES[rng.integers(3)], round(rng.random(), 1), *rng.uniform(1, 60, 4))
            for _ in range(rng.integers(0, 3))
        ]
        number = int(films * 3 - 2 * i)  # ids fall, and the file's order isn't theirs
        made.append(
            Film(
                number,
                Path(f"{number}.png"),
                130,
                130,
                ("here", "there", "")[rng.integers(3)],
                tuple(truths),
                key=f"{number}.png",
                patient=f"p{rng.integers(patients)}",
                image_class=label if rng.random() < 0.7 else "",
            )
        )
        found[number] = boxes
    return made, found
