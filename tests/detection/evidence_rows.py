"""Evidence of made versions: how good one is, is a number, and all read the same films."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from detection.detectors.classes import CLASSES
from detection.evaluation.evidence import ANY, FilmEvidence, Find, View
from detection.models import DetectorVersion, EvidenceSet
from detection.services import evidence


def rows(skill: float, *, films: int = 60, prefix: str = "val") -> list[FilmEvidence]:
    """Films of all classes in turn, two boxes each; `skill` 0 guesses, 1 knows."""
    rng = np.random.default_rng(0)
    made = []
    for place in range(films):
        label = CLASSES[place % len(CLASSES)]
        noise = rng.uniform(0.0, 1.0, len(CLASSES))
        scores = {
            name: float(skill * (0.9 if name == label else 0.05) + (1 - skill) * noise[k])
            for k, name in enumerate(CLASSES)
        }
        finds = tuple(
            Find(name, scores[name], int(name == label), int(name == label))
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
                boxes=View({label: 2}, finds),
                human=View(),
                places=View({ANY: 2}, (Find(ANY, 0.9, 1, 1), Find(ANY, 0.9, 1, 1))),
            )
        )
    return made


def report(version: DetectorVersion, skill: float, **choices: Any) -> dict[str, Any]:
    """As `evaluate_detector` writes it, as far as it is evidence."""
    return {
        "version": version.name,
        "sha256": version.weights_sha256,
        "evidence": [row.as_json() for row in rows(skill, **choices)],
    }


def write_report(path: Path, version: DetectorVersion, skill: float, **choices: Any) -> Path:
    path.write_text(json.dumps(report(version, skill, **choices)))
    return path


def give_evidence(version: DetectorVersion, skill: float, name: str = "val") -> EvidenceSet:
    """Import evidence on a set."""
    evidence.import_evidence(version=version, rows=rows(skill, prefix=name), name=name)
    return version.evidence_sets.get(name=name)
