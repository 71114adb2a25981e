"""Transfer learning's first step: a backbone that learns to name whole films before it finds lungs.

Several sets of single-class films share the backbone, each with a linear head of its own; a batch
takes from every set in proportion. Random position, size, mirror and exposure; AdamW on a cosine.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import structlog
import torch
from torch import Tensor, nn
from torch.nn import functional

from twinhealth.errors import InvalidInputError

from . import openmmlab, preprocess, recipe
from .schooling import School

log = structlog.get_logger(__name__)
CHECKPOINT: Final = "pretraining.pth"
LABEL_SMOOTHING: Final = 0.1
Chances = npt.NDArray[np.float64]  # (N, classes)


@dataclass(frozen=True, slots=True)
class Lesson:
    """What to learn from.

    Attributes:
        schools: the sets, each with the number of times that an epoch shows its pictures.
        recipe: architecture and `[pretraining]`.
        folder: for the checkpoint after each epoch; one that is there is gone on from.
        seed: of every source of chance.
        threads, operators, device: as for `loader.load_detector`.
        start: tensors of a backbone to begin with; random ones unless given.
    """

    schools: Sequence[tuple[School, int]]
    recipe: recipe.Recipe
    folder: Path
    seed: int
    threads: int
    operators: str
    device: str = "cpu"
    start: Mapping[str, Tensor] | None = None


@dataclass(frozen=True, slots=True)
class Schooled:
    """What a lesson gave.

    Attributes:
        backbone: its tensors, keys as in the backbone of mmdetection.
        record: share of the `val` pictures named rightly per set, seconds, seed.
        chances: per set, the chance of each class for each of its `val` pictures, (N, classes).
    """

    backbone: dict[str, Tensor]
    record: dict[str, Any]
    chances: tuple[Chances, ...]


def pretrain(lesson: Lesson) -> Schooled:
    """Train the backbone; again in the same folder goes on after the last whole epoch.

    Raises:
        InvalidInputError: `pretraining_not_in_recipe`, `checkpoint_of_another_run`.
    """
    wanted = lesson.recipe.pretraining
    if wanted is None:
        raise not_in_recipe(lesson.recipe)
    torch.set_num_threads(lesson.threads)
    openmmlab.load(lesson.operators)
    torch.manual_seed(lesson.seed)
    rng = np.random.default_rng(lesson.seed)
    network = _Pupil(lesson).to(lesson.device)
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=wanted.learning_rate, weight_decay=wanted.weight_decay
    )
    steps = _batches(lesson, wanted.batch_size) * len(wanted.sides)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, wanted.learning_rate, total_steps=steps, pct_start=0.1
    )
    run = _Run(lesson, wanted, network, optimizer, schedule, rng)
    state = _Progress(run)
    for epoch in range(state.resume(), len(wanted.sides)):
        started = time.monotonic()
        loss = _epoch(run, wanted.sides[epoch])
        right = {school.name: _share_right(network, i) for i, school in enumerate(network.schools)}
        state.keep(epoch + 1, time.monotonic() - started, right)
        log.info(
            "pretraining_epoch",
            epoch=epoch + 1,
            of=len(wanted.sides),
            side=wanted.sides[epoch],
            loss=round(loss, 4),
            right=right,
            minutes_left=round(state.seconds_left(wanted.sides, epoch) / 60),
        )
    backbone = {k: v.detach().cpu().clone() for k, v in network.backbone.state_dict().items()}
    record = {"right": state.right, "seconds": round(state.seconds), "seed": lesson.seed}
    chances = tuple(_chances(network, number) for number in range(len(network.schools)))
    return Schooled(backbone, record, chances)


def not_in_recipe(wanted: recipe.Recipe) -> InvalidInputError:
    """The error of a recipe that says nothing of pretraining."""
    return InvalidInputError(
        "pretraining_not_in_recipe", f"The config '{wanted.name}' has no section [pretraining]."
    )


class _Pupil(nn.Module):
    """The backbone of the recipe with one linear head per set."""

    def __init__(self, lesson: Lesson) -> None:
        from .architecture import build, model_config

        super().__init__()
        config = model_config(lesson.recipe, classes=1).backbone
        config.norm_eval = False
        self.backbone: nn.Module = build(config)
        openmmlab.init_weights(self.backbone)
        if lesson.start is not None:
            self.backbone.load_state_dict(lesson.start)
        self.schools = [school for school, _ in lesson.schools]
        width = 512 if lesson.recipe.model.depth < 50 else 2048
        self.heads = nn.ModuleList(nn.Linear(width, len(s.classes)) for s in self.schools)

    def forward(self, pictures: Tensor) -> Tensor:
        """Mean of the last feature map: (N, 3, H, W) -> (N, width)."""
        pooled: Tensor = self.backbone(pictures)[-1].mean(dim=(2, 3))
        return pooled


@dataclass(frozen=True, slots=True)
class _Run:
    """What one training run works with."""

    lesson: Lesson
    wanted: recipe.Pretraining
    network: _Pupil
    optimizer: torch.optim.Optimizer
    schedule: torch.optim.lr_scheduler.LRScheduler
    rng: np.random.Generator


class _Progress:
    """The checkpoint after each epoch, and what a kill must not lose."""

    def __init__(self, run: _Run) -> None:
        lesson = run.lesson
        self._path = lesson.folder / CHECKPOINT
        self._parts: dict[str, Any] = {
            "network": run.network,
            "optimizer": run.optimizer,
            "schedule": run.schedule,
        }
        self._rng = run.rng
        films = [len(school.train[1]) for school, _ in lesson.schools]
        self._mark = f"{lesson.recipe.model} {run.wanted} {lesson.seed} {films}"
        self.seconds = 0.0
        self.right: dict[str, float | None] = {}

    def resume(self) -> int:
        """Take the last checkpoint up, if there is one; the number of epochs that are done."""
        if not self._path.exists():
            return 0
        kept = torch.load(self._path, weights_only=True)
        if kept["mark"] != self._mark:
            raise InvalidInputError(
                "checkpoint_of_another_run",
                f"{self._path.name} in the folder is of another recipe, seed or set; "
                "choose another folder.",
            )
        for name, part in self._parts.items():
            part.load_state_dict(kept[name])
        torch.set_rng_state(kept["torch_rng"])
        self._rng.bit_generator.state = kept["rng"]
        self.seconds, self.right = kept["seconds"], kept["right"]
        return int(kept["epoch"])

    def keep(self, epoch: int, seconds: float, right: dict[str, float | None]) -> None:
        """Write the checkpoint at once or not at all."""
        self.seconds += seconds
        self.right = right
        self._path.parent.mkdir(parents=True, exist_ok=True)
        part = self._path.with_suffix(".part")
        states = {name: part.state_dict() for name, part in self._parts.items()}
        torch.save(
            states
            | {
                "mark": self._mark,
                "epoch": epoch,
                "seconds": self.seconds,
                "right": right,
                "torch_rng": torch.get_rng_state(),
                "rng": self._rng.bit_generator.state,
            },
            part,
        )
        part.replace(self._path)

    def seconds_left(self, sides: Sequence[int], epoch: int) -> float:
        """Epochs cost as their pixels do."""
        done = sum(side**2 for side in sides[: epoch + 1])
        return self.seconds * sum(side**2 for side in sides[epoch + 1 :]) / done


def _batches(lesson: Lesson, size: int) -> int:
    shown = sum(len(school.train[1]) * times for school, times in lesson.schools)
    return math.ceil(shown / size)


def _epoch(run: _Run, side: int) -> float:
    """One pass; the mean loss."""
    run.network.train()
    losses = []
    for picks in _deal(run.lesson, run.wanted.batch_size, run.rng):
        pictures = torch.cat(
            [torch.from_numpy(run.network.schools[i].train[0][rows]) for i, rows in picks]
        )
        device = run.lesson.device
        features = run.network(_shaken(pictures.to(device), side, run.wanted))
        loss = features.new_zeros(())
        start = 0
        for i, rows in picks:
            answers = run.network.heads[i](features[start : start + len(rows)])
            truth = torch.from_numpy(run.network.schools[i].train[1][rows]).to(device)
            share = functional.cross_entropy(answers, truth, label_smoothing=LABEL_SMOOTHING)
            loss = loss + share * (len(rows) / len(features))
            start += len(rows)
        run.optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(run.network.parameters(), 5.0)
        run.optimizer.step()
        run.schedule.step()
        losses.append(float(loss.detach()))
    return float(np.mean(losses))


def _deal(lesson: Lesson, size: int, rng: Any) -> Iterator[list[tuple[int, Any]]]:
    """Batches of `[(number of the set, rows)]` in which every set has its share."""
    count = _batches(lesson, size)
    piles = []
    for school, times in lesson.schools:
        rows = np.concatenate([rng.permutation(len(school.train[1])) for _ in range(times)])
        piles.append(np.array_split(rows, count))
    for batch in range(count):
        yield [(i, pile[batch]) for i, pile in enumerate(piles) if len(pile[batch])]


def _shaken(pictures: Tensor, side: int, wanted: recipe.Pretraining) -> Tensor:
    """(N, S, S) uint8 -> (N, 3, side, side), each turned, moved, sized, mirrored, exposed anew."""
    n = len(pictures)

    def chance(low: float, high: float) -> Tensor:
        return torch.empty(n).uniform_(low, high).to(pictures.device)

    angle = chance(-wanted.rotation, wanted.rotation) * math.pi / 180
    mirror = torch.where(chance(0, 1) < 0.5, -1.0, 1.0)
    wide, high = chance(*wanted.zoom), chance(*wanted.zoom)
    matrix = torch.stack(
        [
            torch.stack([mirror * wide * angle.cos(), -high * angle.sin(), chance(-0.08, 0.08)], 1),
            torch.stack([mirror * wide * angle.sin(), high * angle.cos(), chance(-0.08, 0.08)], 1),
        ],
        1,
    )
    grid = functional.affine_grid(matrix, [n, 1, side, side], align_corners=False)
    level = functional.grid_sample(
        pictures[:, None].float() / preprocess.WHITE, grid, align_corners=False
    )
    gamma = torch.exp(chance(math.log(wanted.gamma[0]), math.log(wanted.gamma[1])))
    level = level.clamp(0, 1) ** gamma[:, None, None, None]
    level = 0.5 + (level - 0.5) * chance(*wanted.contrast)[:, None, None, None]
    noise = torch.randn_like(level) * chance(0, wanted.noise)[:, None, None, None]
    return _as_input((level * preprocess.WHITE + noise).clamp(0, preprocess.WHITE))


def _as_input(grey: Tensor) -> Tensor:
    normal = (grey - preprocess.MEAN) / preprocess.STD
    return normal.expand(-1, 3, -1, -1).contiguous(memory_format=torch.channels_last)


def _share_right(network: _Pupil, number: int) -> float | None:
    """Share of a set's `val` pictures that its head names rightly; `None` without any."""
    truth = network.schools[number].val[1]
    if not len(truth):
        return None
    return round(float((_chances(network, number).argmax(axis=1) == truth).mean()), 4)


@torch.inference_mode()
def _chances(network: _Pupil, number: int, size: int = 64) -> Chances:
    """Chance of each class for each of a set's `val` pictures, (N, classes)."""
    school = network.schools[number]
    device = next(network.parameters()).device
    network.eval()
    rows = [np.zeros((0, len(school.classes)), np.float64)]
    for start in range(0, len(school.val[0]), size):
        batch = torch.from_numpy(school.val[0][start : start + size])[:, None].float()
        answers = network.heads[number](network(_as_input(batch.to(device))))
        rows.append(answers.softmax(dim=1).cpu().double().numpy())
    return np.concatenate(rows)
