"""Versions against what people signed: figures of a film as a whole, for a site's own films; pure.

A signature says normal or abnormal and draws no box, so nothing here speaks of boxes or of which
disease it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detection.detectors.ranking import Array, auc
from detection.evaluation.headline import DRAWS, interval, patient_weights
from detection.evaluation.weighted import share

# figure -> what it says, for people
SIGNED: Final = {
    "auc_abnormal": "a film signed abnormal scores higher for a disease than one signed normal",
    "sensitivity": "of the films signed abnormal, those flagged",
    "specificity": "of the films signed normal, those not flagged",
    "agreement": "films where the flag says what the signature says",
}


@dataclass(frozen=True, slots=True)
class SignedFilm:
    """One film with a signature, and one version's word on it.

    Attributes:
        patient: whose, for the bootstrap.
        abnormal: what was signed.
        score: the version's highest score for a disease, 0 to 1.
        flagged: whether it reaches the threshold of its class.
    """

    patient: str
    abnormal: bool
    score: float
    flagged: bool


def figures(films: Sequence[SignedFilm]) -> dict[str, dict[str, float | None]]:
    """Each figure with its 95 % interval by bootstrap over patients; `None` where not defined."""
    found = _draws(films, _weights(films))
    return {name: {"value": _value(drawn), **_ends(drawn, films)} for name, drawn in found.items()}


def differences(
    candidate: Sequence[SignedFilm], active: Sequence[SignedFilm]
) -> dict[str, dict[str, float | None]]:
    """Candidate minus active on the same films in the same order, by paired bootstrap."""
    weights = _weights(candidate)
    new, old = _draws(candidate, weights), _draws(active, weights)
    return {
        name: {"difference": _value(gap), **_ends(gap, candidate)}
        for name, gap in ((name, new[name] - old[name]) for name in SIGNED)
    }


def _weights(films: Sequence[SignedFilm]) -> Array:
    """(1 + draws, films): the films themselves, then the draws."""
    once = np.ones((1, len(films)))
    return np.vstack([once, patient_weights(films, DRAWS, seed=0)]) if films else once


def _draws(films: Sequence[SignedFilm], weights: Array) -> dict[str, Array]:
    ill = np.array([film.abnormal for film in films], bool)
    flagged = np.array([film.flagged for film in films], bool)
    scores = np.array([film.score for film in films], float)
    return {
        "auc_abnormal": auc(weights, scores, ill, ~ill),
        "sensitivity": share(weights, flagged, ill),
        "specificity": share(weights, ~flagged, ~ill),
        "agreement": share(weights, flagged == ill, np.ones(len(films), bool)),
    }


def _value(drawn: Array) -> float | None:
    return float(drawn[0]) if np.isfinite(drawn[0]) else None


def _ends(drawn: Array, films: Sequence[SignedFilm]) -> dict[str, float | None]:
    return interval(drawn[1:], films)
