"""Which weights of a training run are kept: their moving average, at the epoch that val likes."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import structlog
import torch
from mmengine.hooks import EMAHook, Hook
from torch import Tensor

from . import engine
from .classes import CLASSES
from .coco import CocoSet
from .evaluation import evaluate
from .prediction import VersionInfo

if TYPE_CHECKING:
    from .training import Job

log = structlog.get_logger(__name__)
BEST: Final = "best.pth"
FIRST: Final = 0.4  # share of the epochs before which looking is a waste


def averaging(weight: float) -> list[Hook]:
    """Mmengine's hook for an exponential moving average of the weights; none for weight 0."""
    if not weight:
        return []
    return [EMAHook(ema_type="ExponentialMovingAverage", momentum=weight)]


def averaged(runner: Any) -> dict[str, Tensor]:
    """The averaged tensors of a run, or those of the last step where nothing is averaged."""
    hooks = [hook for hook in runner.hooks if isinstance(hook, EMAHook)]
    model = hooks[0].ema_model.module if hooks else runner.model
    return {key: value.detach().cpu().clone() for key, value in model.state_dict().items()}


class Selection(Hook):
    """After each of the later epochs: AP50 on the validation set; the best weights are kept.

    The best so far lies in the run's folder, so a run that is killed and resumed still knows it.
    """

    def __init__(self, job: Job, validation: CocoSet) -> None:
        self._job = job
        self._validation = validation
        self._path = job.folder / BEST
        self._since_best = 0
        if not job.resume:  # an older run's best is not this one's
            self._path.unlink(missing_ok=True)
        kept = self._kept()
        self._figure = float(kept["figure"]) if kept else None

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Look at the end of an epoch."""
        done = runner.iter + 1
        if done % self._job.per_epoch and done != self._job.iterations:
            return
        if done < FIRST * self._job.iterations:
            return
        state = averaged(runner)
        figure = self._measure(runner.model, state)
        better = self._figure is None or figure > self._figure
        self._since_best = 0 if better else self._since_best + 1
        if better:
            self._figure = figure
            _store(self._path, {"figure": figure, "iteration": done, "state_dict": state})
        log.info(
            "training_val",
            epoch=round(done / self._job.per_epoch, 1),
            ap50=figure,
            best=self._figure,
        )
        if self._since_best >= self._job.recipe.training.patience:
            log.info("training_ends_early", epochs_without_better=self._since_best)
            runner.train_loop.stop_training = True

    def best(self) -> dict[str, Tensor] | None:
        """The tensors of the best epoch; `None` if none was looked at."""
        kept = self._kept()
        return dict(kept["state_dict"]) if kept else None

    def _kept(self) -> dict[str, Any] | None:
        return torch.load(self._path, weights_only=True) if self._path.exists() else None

    def _measure(self, model: Any, state: dict[str, Tensor]) -> float:
        copy = deepcopy(model)  # loading a detector folds its batch norm
        copy.load_state_dict(state)
        wanted = self._job.recipe
        info = VersionInfo(
            name="in training",
            sha256="",
            config=wanted.name,
            classes=CLASSES,
            thresholds=dict.fromkeys(CLASSES, 0.5),
            image_size=wanted.input.longest_side,
        )
        device = next(model.parameters()).device
        detector = engine.TorchDetector(copy, info, device, film_share=wanted.model.film_share)
        mean = evaluate(detector, self._validation)["ap"]["all"]["mean"]
        return float(mean["ap50"]) if mean else 0.0


def _store(path: Path, content: dict[str, Any]) -> None:
    part = path.with_suffix(".part")
    torch.save(content, part)
    part.replace(path)
