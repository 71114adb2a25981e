"""Scores against how often they are right: reliability, calibration error, temperature.

A film's score for a class is read as the statement "this film is of the class, with this
probability"; each film makes one statement per class. Pure numpy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from detection.detectors.classes import CLASSES
from twinhealth.errors import InvalidInputError

from .curves import Floats, share
from .evidence import FilmEvidence

BINS: Final = 10  # of equal width
_CLIP: Final = 1e-6  # a score of 0 or 1 has no finite log-odds
_LOWEST, _HIGHEST = 0.05, 20.0  # temperatures looked at


def tempered(scores: npt.ArrayLike, temperature: float) -> Floats:
    """Scores with their log-odds divided by a temperature.

    Temperature scaling (Guo et al., "On Calibration of Modern Neural Networks", ICML 2017) for
    statements of yes or no: above 1 draws scores towards one half, below 1 away from it. It rises
    with the score, so the order of films within a class stays, and so does what is above one half.

    Args:
        scores: any shape, 0 to 1.
        temperature: above 0.
    """
    inner = np.clip(np.asarray(scores, float), _CLIP, 1 - _CLIP)
    return np.asarray(1 / (1 + np.exp(-(np.log(inner) - np.log1p(-inner)) / temperature)))


def fit_temperature(scores: npt.ArrayLike, labels: Sequence[str]) -> float:
    """The temperature under which the scores explain the labels best (lowest log loss).

    To be fitted on films that the weights weren't trained on and that aren't reported on.

    Args:
        scores: (films, classes), one score per class in the order of `CLASSES`, 0 to 1.
        labels: the class of each film.

    Returns:
        Between 0.05 and 20, to 1e-4.

    Raises:
        InvalidInputError: `calibration_impossible`, if there is no film with a class.
    """
    table = np.asarray(scores, float).reshape(-1, len(CLASSES))
    right = np.array([[label == name for name in CLASSES] for label in labels], bool)
    if not right.any():
        raise InvalidInputError(
            "calibration_impossible", "A temperature needs films whose class is known."
        )
    table, right = table[right.any(axis=1)], right[right.any(axis=1)]

    def loss(log_temperature: float) -> float:
        said = tempered(table, float(np.exp(log_temperature)))
        return float(-np.log(np.where(right, said, 1 - said)).mean())

    # convex in 1 / T, so there is one valley, and a golden section finds it
    low, high = float(np.log(_LOWEST)), float(np.log(_HIGHEST))
    golden = (np.sqrt(5) - 1) / 2
    while high - low > 1e-6:
        inner, outer = high - golden * (high - low), low + golden * (high - low)
        if loss(inner) <= loss(outer):
            high = outer
        else:
            low = inner
    return round(float(np.exp((low + high) / 2)), 4)


@dataclass(frozen=True, slots=True)
class Statements:
    """What was said of films, and whether it was so.

    Attributes:
        film: (n,) place of the film.
        said: (n,) probability.
        right: (n,) whether it is so.
        films: how many films there are.
    """

    film: npt.NDArray[np.intp]
    said: Floats
    right: npt.NDArray[np.bool_]
    films: int

    def ece(self, weights: Floats) -> Floats:
        """Expected calibration error, (draws,).

        Mean distance between what was said and how often it was so, over ten bins of equal
        width, each weighted by its statements (Guo et al. 2017, equation 3).
        """
        number, said, right = (weights @ table for table in self._by_film())
        distance = np.abs(said - right).sum(axis=1)
        return share(distance, number.sum(axis=1))

    def reliability(self) -> list[dict[str, Any]]:
        """Per bin that holds something: edges, number, mean of what was said, share that is so."""
        number, said, right = (table.sum(axis=0) for table in self._by_film())
        return [
            {
                "from": i / BINS,
                "to": (i + 1) / BINS,
                "statements": int(number[i]),
                "said": round(float(said[i] / number[i]), 4),
                "so": round(float(right[i] / number[i]), 4),
            }
            for i in range(BINS)
            if number[i]
        ]

    def _by_film(self) -> tuple[Floats, Floats, Floats]:
        """(films, bins): statements, sum of what was said, how many are so."""
        place = self.film, np.minimum((self.said * BINS).astype(int), BINS - 1)
        tables = []
        for value in (np.ones(len(self.said)), self.said, self.right.astype(float)):
            table = np.zeros((self.films, BINS))
            np.add.at(table, place, value)
            tables.append(table)
        return tables[0], tables[1], tables[2]


def statements(
    rows: Sequence[FilmEvidence], temperature: float, labels: Sequence[str] = CLASSES
) -> Statements:
    """Each film's score for each of some classes; films without a class are left out."""
    known = [(i, row) for i, row in enumerate(rows) if row.label]
    return Statements(
        film=np.array([i for i, _ in known for _ in labels], np.intp),
        said=tempered([row.scores[label] for _, row in known for label in labels], temperature),
        right=np.array([row.label == label for _, row in known for label in labels], bool),
        films=len(rows),
    )
