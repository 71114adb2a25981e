"""Cross-validation in which all films of a patient lie in one part."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

FOLDS = 5


class Labelled(Protocol):
    """A film of a patient, with a label."""

    @property
    def patient(self) -> str:
        """Whose."""

    @property
    def label(self) -> str:
        """What the parts shall hold alike."""


def patient_folds(rows: Sequence[Labelled], seed: int = 0) -> npt.NDArray[np.int_]:
    """Number of the part of each film, from 0; at most five parts, no more than patients.

    Patients are dealt out label by label, so that the parts hold about the same classes.
    """
    label_of = {row.patient: row.label for row in rows}
    patients = np.random.default_rng(seed).permutation(sorted(label_of))
    dealt = sorted((str(patient) for patient in patients), key=lambda patient: label_of[patient])
    part = {patient: place % FOLDS for place, patient in enumerate(dealt)}
    return np.array([part[row.patient] for row in rows], int)
