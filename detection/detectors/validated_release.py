"""Train, measure, choose thresholds, write the version: the whole way in one call."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from detection.evaluation.report import full_report, scaling_of
from detection.manifest import Manifest

from .classes import CLASSES
from .coco import CocoSet
from .evaluation import evaluate
from .loader import load_detector
from .release import release, summary
from .training import Job, train
from .weights_file import Meta

_UNCHOSEN = 0.5  # threshold of each class where nothing was measured


def train_and_release(job: Job, *, name: str, licence: str, record: Mapping[str, Any]) -> Manifest:
    """Train and write `NAME.pth` with its manifest into the job's folder.

    Args:
        job: what to train; on its validation set, if it has one, the thresholds are chosen.
        name: of the version.
        licence: terms of use.
        record: what else to keep of how it was made.

    Returns:
        The manifest as written.

    Raises:
        InvalidInputError: as `training.train` and `evaluation.evaluate`.
    """
    state = train(job)
    meta = Meta(
        name=name,
        config=job.recipe.name,
        classes=CLASSES,
        image_size=job.recipe.input.longest_side,
        thresholds=dict.fromkeys(CLASSES, _UNCHOSEN),
        licence=licence,
        training={**record, **_record(job)},
    )
    weights = job.folder / f"{name}.pth"
    written = release(weights, state=state, meta=meta, metrics={})
    if job.validation is None:
        return written
    return choose_thresholds(weights, state=state, meta=meta, validation=job.validation)


def choose_thresholds(
    weights: Path, *, state: dict[str, torch.Tensor], meta: Meta, validation: CocoSet
) -> Manifest:
    """Measure weights on a validation set and write them again with its thresholds.

    Args:
        weights: written by `release`.
        state: the tensors that were written.
        meta: what was written of them.
        validation: the set.

    Returns:
        The manifest as written, with the figures of the new thresholds under `val`, the headline
        with its intervals among them, and the scaling of the scores.
    """
    detector = load_detector(weights=weights)
    chosen = evaluate(detector, validation)["suggested_thresholds"]
    meta = dataclasses.replace(
        meta,
        thresholds=chosen,
        training={**meta.training, "thresholds": "chosen on the validation set"},
    )
    release(weights, state=state, meta=meta, metrics={})
    report = full_report(load_detector(weights=weights), validation)
    return release(
        weights,
        state=state,
        meta=meta,
        metrics={"val": summary(report)},
        scaling=scaling_of(report),
    )


def _record(job: Job) -> dict[str, Any]:
    start = job.start_from
    begun = start.sha256 if start else "random weights"
    return {
        "images": len(job.films.films),
        "recipe": job.recipe.name,
        "iterations": job.iterations,
        "seed": job.seed,
        "started_from": "a pretrained backbone" if job.backbone else begun,
    }
