"""Random sets of films with what a detector might say of them."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from detection.detectors.classes import CLASSES
from detection.detectors.coco import Film, Truth
from detection.detectors.prediction import Box
from detection.evaluation.evidence import of_film

SIDE = 100


def random_set(seed, films=30, patients=12, *, steps=0, classes=CLASSES):
    """Films and finds by film id.

    Args:
        steps: scores on so many steps only, so that many are equal; 0: all differ.
        classes: that occur.
    """
    rng = np.random.default_rng(seed)
    annotated, found = [], {}
    for number in range(1, films + 1):
        label = classes[rng.integers(len(classes))]
        truths, boxes = [], []
        for _ in range(rng.integers(0, 4)):
            box = (*rng.uniform(0, 50, 2), *rng.uniform(10, 50, 2))
            name = label if rng.random() < 0.9 else classes[rng.integers(len(classes))]
            truths.append(Truth(name, box, ("human", "pseudo")[rng.integers(2)]))
            for _ in range(rng.integers(0, 4)):
                near = np.abs(np.array(box) + rng.normal(0, 4, 4))
                boxes.append(_find(rng, near, name if rng.random() < 0.7 else CLASSES[0], steps))
        for _ in range(rng.integers(0, 3)):
            anywhere = (*rng.uniform(0, 50, 2), *rng.uniform(5, 50, 2))
            boxes.append(_find(rng, anywhere, CLASSES[rng.integers(3)], steps))
        annotated.append(
            Film(
                number,
                Path(f"{number:03}.png"),
                SIDE,
                SIDE,
                ("here", "there")[number % 2],
                tuple(truths),
                patient=f"p{rng.integers(patients)}",
            )
        )
        found[number] = boxes
    return annotated, found


def rows_of(annotated, found):
    return [of_film(film, found.get(film.id, ())) for film in annotated]


def _find(rng, box, label, steps):
    score = rng.random()
    return Box(label, float(np.ceil(score * steps) / steps if steps else score), *map(float, box))
