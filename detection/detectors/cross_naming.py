"""Readers that name each film of a set without having learned from it or its patient."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import structlog
from torch import Tensor

from detection.evaluation.folds import FOLDS, patient_folds
from detection.evaluation.label_noise import NamedFilm

from . import pretraining, recipe, schooling
from .coco import CocoSet
from .pretraining import Chances
from .schooling import School

log = structlog.get_logger(__name__)
FINE_RATE: Final = 0.5  # of the recipe's learning rate: the backbone has learned before


@dataclass(frozen=True, slots=True)
class Plan:
    """How the readers are made.

    Attributes:
        films: those with boxes are named.
        pretrain: folder of single-class films that the backbone learns first, and alone: it must
            not have seen any of `films`.
        recipe: with `[pretraining]`, which the backbone follows; the readers start from half of
            its learning rate.
        folder: for checkpoints; what is done in it isn't done again.
        epochs: of each reader.
        backbone_epochs: the first so many of the recipe's; all unless given.
        side: of the readers' pictures, and the most of the backbone's, in pixels.
        readers: of each part, that differ in their seed and in how patients are dealt.
        seed, threads, operators, device: as for `pretraining.Lesson`.
    """

    films: CocoSet
    pretrain: Path
    recipe: recipe.Recipe
    folder: Path
    epochs: int
    side: int
    readers: int
    seed: int
    threads: int
    operators: str
    device: str = "cpu"
    backbone_epochs: int | None = None


def name_across(plan: Plan) -> list[NamedFilm]:
    """Name each film by readers that learned from the other patients of its set.

    Raises:
        InvalidInputError: what `schooling.read_folder` and `pretraining.pretrain` raise.
    """
    course = plan.recipe.pretraining
    if course is None:
        raise pretraining.not_in_recipe(plan.recipe)
    course = recipe.shortened(course, epochs=plan.backbone_epochs, side=plan.side)
    base = dataclasses.replace(plan.recipe, pretraining=course)
    side = plan.side
    kept = dataclasses.replace(
        plan.films, films=tuple(film for film in plan.films.films if film.boxes)
    )
    whole = schooling.from_annotated(kept, None, side)
    pictures, given = whole.train
    films = [
        NamedFilm(film.name, film.patient or film.name, film.source, int(label), _nobody(whole))
        for film, label in zip(kept.films, given, strict=True)
    ]
    backbone = pretraining.pretrain(
        _lesson(plan, schooling.read_folder(plan.pretrain, side), "backbone", wanted=base)
    ).backbone
    fine = dataclasses.replace(
        plan.recipe,
        pretraining=dataclasses.replace(
            course,
            sides=(side,) * plan.epochs,
            learning_rate=course.learning_rate * FINE_RATE,
        ),
    )
    rounds = []
    for reader in range(plan.readers):
        part = patient_folds(films, seed=plan.seed + reader)
        chances = np.zeros((len(films), len(whole.classes)))
        for fold in range(FOLDS):
            asked = part == fold
            if not asked.any():
                continue
            school = School(
                "films",
                whole.classes,
                (pictures[~asked], given[~asked]),
                (pictures[asked], given[asked]),
            )
            lesson = _lesson(
                plan,
                school,
                f"reader-{reader}-{fold}",
                wanted=fine,
                start=backbone,
                reader=reader,
            )
            chances[asked] = pretraining.pretrain(lesson).chances[0]
            log.info("films_named", reader=reader + 1, of=plan.readers, part=fold + 1, parts=FOLDS)
        rounds.append(chances)
    return _told(films, rounds)


def _lesson(
    plan: Plan,
    school: School,
    name: str,
    *,
    wanted: recipe.Recipe,
    start: dict[str, Tensor] | None = None,
    reader: int = 0,
) -> pretraining.Lesson:
    return pretraining.Lesson(
        schools=((school, 1),),
        recipe=wanted,
        folder=plan.folder / name,
        seed=plan.seed + reader,
        threads=plan.threads,
        operators=plan.operators,
        device=plan.device,
        start=start,
    )


def _nobody(school: School) -> Chances:
    return np.zeros((0, len(school.classes)))


def _told(films: Sequence[NamedFilm], rounds: Sequence[Chances]) -> list[NamedFilm]:
    stacked = np.stack(rounds, axis=1)  # (films, readers, classes)
    return [
        dataclasses.replace(film, chances=chances)
        for film, chances in zip(films, stacked, strict=True)
    ]
