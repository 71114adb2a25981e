"""A recipe from start to finish: films of a licence tier, backbone, detector, a version's files."""

from __future__ import annotations

import hashlib
import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from detection.manifest import Manifest
from twinhealth.errors import InvalidInputError

from . import pretraining, recipe, schooling, weights_file
from .coco import CocoSet, of_tier, read_coco
from .training import CHECKPOINT_MARK, Job
from .validated_release import train_and_release

PARTS = (
    "torch",
    "torchvision",
    "mmdet",
    "mmengine",
    "mmcv-lite",
    "numpy",
    "opencv-python-headless",
)


@dataclass(frozen=True, slots=True)
class Course:
    """What to do.

    Attributes:
        annotations, images: the annotated set to train on.
        validation: annotations in the same folder of images: choose the epoch and thresholds.
        pretrain: folder of single-class films (`schooling.read_folder`) for the backbone.
        config: recipe by name.
        out: folder for checkpoints and the version's files; `resume` goes on with what is in it.
        name, licence: of the version.
        tier: train and choose on films of this licence tier alone; on all if empty.
        seed: of every source of chance.
        threads, operators, device: as for `loader.load_detector`.
        max_iterations: stop the detector's training there.
        start_from: weights to begin with, instead of pretraining.
    """

    annotations: Path
    images: Path
    out: Path
    name: str
    config: str
    licence: str
    seed: int
    threads: int
    operators: str
    device: str
    validation: Path | None = None
    pretrain: Path | None = None
    tier: str = ""
    max_iterations: int | None = None
    start_from: weights_file.Weights | None = None
    resume: bool = False


def run(course: Course) -> Manifest:
    """Do all of it, or what of it is left to do.

    Returns:
        The manifest of the version, as written into the folder.

    Raises:
        InvalidInputError: `nothing_to_resume`, `pretrain_and_start_from`, and what
            `coco.read_coco`, `coco.of_tier`, `pretraining.pretrain` and `training.train` raise.
    """
    if course.pretrain and course.start_from:
        raise InvalidInputError(
            "pretrain_and_start_from",
            "Weights to start from bring their own backbone; give either them or --pretrain.",
        )
    detector_began = (course.out / CHECKPOINT_MARK).exists()
    if course.resume and not (detector_began or (course.out / pretraining.CHECKPOINT).exists()):
        raise InvalidInputError(
            "nothing_to_resume", f"There is no checkpoint in {course.out.name} to go on from."
        )
    wanted = recipe.read(course.config)
    films = _films(course, course.annotations)
    validation = _films(course, course.validation) if course.validation else None
    backbone, record = _backbone(course, wanted, films, validation)
    job = Job(
        films=films,
        recipe=wanted,
        folder=course.out,
        seed=course.seed,
        threads=course.threads,
        operators=course.operators,
        device=course.device,
        max_iterations=course.max_iterations,
        start_from=course.start_from,
        backbone=backbone,
        validation=validation,
        resume=course.resume and detector_began,
    )
    return train_and_release(
        job, name=course.name, licence=course.licence, record={**_record(course), **record}
    )


def _films(course: Course, annotations: Path) -> CocoSet:
    films = read_coco(annotations, course.images)
    return of_tier(films, course.tier) if course.tier else films


def _backbone(
    course: Course, wanted: recipe.Recipe, films: CocoSet, validation: CocoSet | None
) -> tuple[dict[str, torch.Tensor] | None, dict[str, Any]]:
    if course.pretrain is None:
        return None, {}
    if wanted.pretraining is None:
        raise pretraining.not_in_recipe(wanted)
    side = max(wanted.pretraining.sides)
    lesson = pretraining.Lesson(
        schools=(
            (schooling.read_folder(course.pretrain, side), 1),
            # few films, but of the machines and classes that count
            (schooling.from_annotated(films, validation, side), 2),
        ),
        recipe=wanted,
        folder=course.out,
        seed=course.seed,
        threads=course.threads,
        operators=course.operators,
        device=course.device,
    )
    schooled = pretraining.pretrain(lesson)
    return schooled.backbone, {"pretraining": {"data": course.pretrain.name, **schooled.record}}


def _record(course: Course) -> dict[str, Any]:
    """What it takes to do it again."""
    return {
        "data": course.annotations.name,
        "data_sha256": hashlib.sha256(course.annotations.read_bytes()).hexdigest(),
        "tier": course.tier or "all",
        "environment": {
            "python": platform.python_version(),
            "device": course.device,
            **{part: version(part) for part in PARTS},
        },
    }
