"""Curves for charts, held against the figures that are their areas."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from detection.detectors.operating_point import image_auc
from detection.evaluation import curves, headline, image_level
from tests.evaluation.examples import random_set, rows_of


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("steps", [0, 4], ids=["scores-differ", "many-ties"])
def test_areas_are_the_headline(seed, steps):
    films, found = random_set(seed, steps=steps)
    rows = rows_of(films, found)
    figures = headline.figures(rows)
    for label, points in curves.roc(rows).items():
        assert points[0] == (0, 0)
        assert points[-1] == (1, 1)
        area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(points))
        assert area == pytest.approx(figures[f"auc_{label}"])
        assert area == pytest.approx(image_auc(films, found)[label], abs=1e-4)
    covid = curves.precision_recall(rows)["covid"]
    assert np.mean([precision for _, precision in covid]) == pytest.approx(figures["ap50_covid"])
    for label, points in curves.free_response(rows).items():
        wrong, right = np.array(points).T
        assert (np.diff(wrong) >= 0).all()
        assert (np.diff(right) >= 0).all()
        table = image_level.froc(rows)[label]
        assert table["8"] == right[wrong <= 8].max()


def test_classes_that_a_set_cannot_tell_are_left_out():
    rows = rows_of(*random_set(0, classes=("normal",)))
    # boxes may be of another class than their film
    rows = [row for row in rows if not row.has("covid") and not row.has("pneumonia")]
    assert set(curves.roc(rows)) <= {"normal"}
    assert set(curves.precision_recall(rows)) == {"normal"}
    assert curves.free_response(rows) == {}
    assert curves.roc([]) == {}
