"""Evidence of made versions: how good one is, is a number, and all read the same films."""

from __future__ import annotations

from typing import Any

import numpy as np

from detection.detectors.classes import CLASSES
from detection.evaluation.evidence import FilmEvidence, Judged
from detection.models import DetectorVersion, EvidenceSet
from detection.services import evidence


def rows(
    skill: float, *, films: int = 60, seed: int = 0, prefix: str = "val"
) -> list[dict[str, Any]]:
    """Films of all classes in turn, two boxes each; `skill` 0 guesses, 1 knows."""
    rng = np.random.default_rng(seed)
    made = []
    for place in range(films):
        label = CLASSES[place % len(CLASSES)]
        noise = rng.uniform(0.0, 1.0, len(CLASSES))
        scores = {
            name: float(
                np.clip(skill * (0.9 if name == label else 0.05) + (1 - skill) * noise[k], 0, 1)
            )
            for k, name in enumerate(CLASSES)
        }
        boxes = tuple(
            Judged(name, scores[name], name == label, name == label)
            for name in CLASSES
            for _ in range(2)
        )
        made.append(
            FilmEvidence(
                key=f"{prefix}-{place}.png",
                patient=f"{prefix}-patient-{place // 2}",
                source=("here", "there")[(place // len(CLASSES)) % 2],
                label=label,
                scores=scores,
                boxes=boxes,
                wanted={name: 2 * (name == label) for name in CLASSES},
                lung_boxes=tuple(Judged("any", 0.9, True, True) for _ in range(2)),
                lung_wanted=2,
            ).as_json()
        )
    return made


def report(version: DetectorVersion, skill: float, **choices: Any) -> dict[str, Any]:
    """As `evaluate_detector` writes it."""
    return {
        "version": version.name,
        "sha256": version.weights_sha256,
        "data": {"images": choices.get("films", 60)},
        "evidence": rows(skill, **choices),
    }


def give_evidence(version: DetectorVersion, skill: float, name: str = "val") -> EvidenceSet:
    """Import evidence on a set."""
    evidence.import_evidence(version=version, reports={name: report(version, skill, prefix=name)})
    return version.evidence_sets.get(name=name)
