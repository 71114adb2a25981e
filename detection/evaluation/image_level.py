"""What a version says of whole films: ROC and FROC curves, confusion, classes inside one source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from detection.detectors.classes import CLASSES

from .curves import RECALLS, Floats
from .evidence import FilmEvidence
from .headline import class_curve, class_ranking, rankings_inside

# how the score of a film is made, for the report
SCORE: Final = "mean of the two best boxes of the class on the film; a missing box counts 0"
_POINTS: Final = 200  # of a curve, at most: enough for a picture


def image_auc(rows: Sequence[FilmEvidence]) -> dict[str, float | None]:
    """Per class: how often a film of the class scores higher for it than a film of another.

    Area under the ROC curve (ties count half); `None` where all films or none are of the class.
    """
    once = np.ones((1, len(rows)))
    return {label: rounded(class_ranking(rows, label).auc(once)[0]) for label in CLASSES}


def inside_sources(rows: Sequence[FilmEvidence]) -> dict[str, dict[str, Any]]:
    """Covid against pneumonia among films of one source, for each source that has both.

    Only there can't the source itself tell them apart.
    """
    once = np.ones((1, len(rows)))
    return {
        source: {
            "auc": rounded(ranking.auc(once)[0]),
            "covid": int(ranking.positive.sum()),
            "pneumonia": int((~ranking.positive).sum()),
        }
        for source, ranking in rankings_inside(rows).items()
    }


def confusion(rows: Sequence[FilmEvidence]) -> dict[str, dict[str, int]]:
    """Films of each class (outer key) by the class that they score highest for (inner key).

    A film without any box is `none`.
    """
    table = {label: dict.fromkeys((*CLASSES, "none"), 0) for label in CLASSES}
    for row in rows:
        if row.label:
            table[row.label][called(row)] += 1
    return table


def called(row: FilmEvidence) -> str:
    """The class that a film scores highest for; `none` where nothing was found."""
    best = max(CLASSES, key=lambda label: row.scores[label])
    return best if row.scores[best] > 0 else "none"


def roc(rows: Sequence[FilmEvidence]) -> dict[str, list[list[float]]]:
    """Per class: points (false positive rate, true positive rate), from no film to all."""
    curves = {}
    for label in CLASSES:
        true, false = class_ranking(rows, label).roc(np.ones((1, len(rows))))
        if not np.isnan(true[0, -1]) and not np.isnan(false[0, -1]):
            curves[label] = _thinned(false[0], true[0])
    return curves


def froc(rows: Sequence[FilmEvidence]) -> dict[str, list[list[float]]]:
    """Per class: points (wrong boxes per film, share of boxes found at IoU 0.5), down the scores.

    Free-response ROC: P. Bunch et al., Proc. SPIE 0127, 1977.
    """
    curves = {}
    for label in CLASSES:
        curve = class_curve(rows, label)
        if curve.wanted.sum() and len(curve.score):
            # equal scores are taken together
            ends = np.append(np.flatnonzero(np.diff(curve.score)), len(curve.score) - 1)
            found = np.cumsum(curve.hit)[ends] / curve.wanted.sum()
            wrong = np.cumsum(~curve.hit)[ends] / len(rows)
            curves[label] = _thinned(np.append(0.0, wrong), np.append(0.0, found))
    return curves


def precision_recall(rows: Sequence[FilmEvidence]) -> dict[str, list[list[float]]]:
    """Per class: (recall, interpolated precision) at IoU 0.5; the area is the AP50."""
    curves = {}
    for label in CLASSES:
        curve = class_curve(rows, label)
        if curve.wanted.sum():
            values = curve.precisions(np.ones((1, len(rows))))[0]
            curves[label] = _thinned(RECALLS, values)
    return curves


def rounded(value: Any) -> float | None:
    """To four digits; `None` for what isn't a number."""
    return None if value is None or np.isnan(value) else round(float(value), 4)


def _thinned(x: Floats, y: Floats) -> list[list[float]]:
    kept = np.unique(np.linspace(0, len(x) - 1, min(len(x), _POINTS)).round().astype(int))
    return [[round(float(x[i]), 4), round(float(y[i]), 4)] for i in kept]
