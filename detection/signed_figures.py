"""Versions against what people signed: figures of a film as a whole, for a site's own films; pure.

A signature says normal or abnormal and draws no box, so nothing here speaks of boxes or of which
disease it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from detection.evaluation.bootstrap import film_weights, interval
from detection.evaluation.curves import Floats, ranking, share

DRAWS: Final = 1000
SEED: Final = 20_26
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
    return {name: _row(values) for name, values in found.items()}


def differences(
    candidate: Sequence[SignedFilm], active: Sequence[SignedFilm]
) -> dict[str, dict[str, float | None]]:
    """Candidate minus active on the same films in the same order, by paired bootstrap."""
    weights = _weights(candidate)
    new, old = _draws(candidate, weights), _draws(active, weights)
    return {name: _row(new[name] - old[name]) for name in SIGNED}


def _weights(films: Sequence[SignedFilm]) -> Floats:
    """(1 + draws, films): the films themselves, then the draws."""
    if not films:
        return np.ones((1, 0))
    drawn = film_weights([film.patient for film in films], DRAWS, SEED)
    return np.vstack([np.ones(len(films)), drawn])


def _draws(films: Sequence[SignedFilm], weights: Floats) -> dict[str, Floats]:
    signed = [film.abnormal for film in films]
    abnormal = np.array(signed, bool)
    flagged = np.array([film.flagged for film in films], bool)
    order = ranking(range(len(films)), [film.score for film in films], signed)
    return {
        "auc_abnormal": order.auc(weights),
        "sensitivity": share(weights @ (flagged & abnormal), weights @ abnormal),
        "specificity": share(weights @ (~flagged & ~abnormal), weights @ ~abnormal),
        "agreement": share(weights @ (flagged == abnormal), weights.sum(axis=1)),
    }


def _row(values: Floats) -> dict[str, float | None]:
    low, high = interval(values[1:]) or (None, None)
    value = None if np.isnan(values[0]) else float(values[0])
    return {"value": value, "low": low, "high": high}
