"""Training: mmengine's Runner over an annotated set, with the preprocessing of serving."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn

from twinhealth.errors import InvalidInputError

from . import openmmlab, recipe, weights_file
from .classes import CLASSES
from .coco import CocoSet
from .film_dataset import FilmDataset

CHECKPOINT_MARK: Final = "last_checkpoint"  # mmengine's file that names the newest one


@dataclass(frozen=True, slots=True)
class Job:
    """What to train.

    Attributes:
        films: the annotated set.
        recipe: architecture and schedule.
        folder: checkpoints and logs; `resume` goes on from the last one in it.
        seed: of every source of chance.
        max_iterations: stop there instead of after the recipe's epochs.
        start_from: tensors to begin with; random ones unless given.
        backbone: tensors of a pretrained backbone alone, instead of `start_from`.
        validation: measured after each of the later epochs: the best epoch's weights are kept, and
            training ends early when nothing gets better.
        resume: go on from the last checkpoint in `folder`.
        threads, operators, device: as for `loader.load_detector`; on `cuda` half of the arithmetic
            is done in half precision.
    """

    films: CocoSet
    recipe: recipe.Recipe
    folder: Path
    seed: int
    threads: int
    operators: str
    device: str = "cpu"
    max_iterations: int | None = None
    start_from: weights_file.Weights | None = None
    backbone: Mapping[str, Tensor] | None = None
    validation: CocoSet | None = None
    resume: bool = False

    @property
    def per_epoch(self) -> int:
        """Iterations that see each film once."""
        return math.ceil(len(self.films.films) / self.recipe.training.batch_size)

    @property
    def iterations(self) -> int:
        """Iterations in all."""
        return self.max_iterations or self.recipe.training.epochs * self.per_epoch


def train(job: Job) -> dict[str, Tensor]:
    """Train and give the network's tensors: their moving average, at the best epoch.

    Raises:
        InvalidInputError: `nothing_to_resume`, `weights_dont_fit`, and what reading a film raises.
    """
    if job.resume and not (job.folder / CHECKPOINT_MARK).exists():
        raise InvalidInputError(
            "nothing_to_resume", f"There is no checkpoint in {job.folder.name} to go on from."
        )
    torch.set_num_threads(job.threads)
    openmmlab.load(job.operators)
    openmmlab.load_training()
    from mmengine.device import utils as mmengine_device
    from mmengine.runner import Runner

    from .selection import Selection, averaged, averaging

    mmengine_device.DEVICE = job.device  # the Runner asks there, and takes a GPU unasked
    torch.manual_seed(job.seed)  # the random weights; the Runner seeds the rest
    model = _model(job)
    selection = [Selection(job, job.validation)] if job.validation else []
    runner = Runner(
        model=model,
        work_dir=str(job.folder),
        train_dataloader={
            "batch_size": job.recipe.training.batch_size,
            "num_workers": 0,
            "sampler": {"type": "InfiniteSampler", "shuffle": True},
            "dataset": FilmDataset(job.films, job.recipe),
        },
        train_cfg={"type": "IterBasedTrainLoop", "max_iters": job.iterations},
        optim_wrapper=_optimizer(model, job),
        param_scheduler=_schedule(job),
        default_hooks={
            "logger": {"type": "LoggerHook", "interval": 50},
            "checkpoint": {
                "type": "CheckpointHook",
                "by_epoch": False,
                "interval": min(job.per_epoch, job.iterations),
                "max_keep_ckpts": 2,
            },
        },
        custom_hooks=[_plain_checkpoints(), *averaging(job.recipe.training.average), *selection],
        log_processor={"type": "LogProcessor", "by_epoch": False},
        default_scope="mmdet",
        experiment_name=f"{job.folder.name}-{job.seed}",
        randomness={"seed": job.seed},
        resume=job.resume,
    )
    runner.train()
    best = selection[0].best() if selection else None
    return best or averaged(runner)


def _model(job: Job) -> nn.Module:
    from .architecture import build, model_config

    config = model_config(job.recipe, classes=len(CLASSES))
    start = job.start_from
    # batch norm keeps its statistics, and the first layers their weights, only if they are trained
    trained = start is not None or job.backbone is not None
    config.backbone.norm_eval = trained
    config.backbone.frozen_stages = job.recipe.training.frozen_stages if trained else -1
    model = build(config)
    # now, so that the Runner finds it done: it would overwrite what is loaded below
    openmmlab.init_weights(model)
    if job.backbone is not None:
        model.get_submodule("backbone").load_state_dict(job.backbone)
    # convolutions on a CPU take half the time so
    model = model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if start is None:
        return model
    if start.meta.classes != CLASSES or start.meta.config != job.recipe.name:
        raise InvalidInputError(
            "weights_dont_fit",
            f"These weights are of '{start.meta.config}' with the classes "
            f"{', '.join(start.meta.classes)}; wanted: '{job.recipe.name}' with "
            f"{', '.join(CLASSES)}, in this order.",
        )
    model.load_state_dict(start.state)
    return model


def _optimizer(model: nn.Module, job: Job) -> Any:
    """AdamW with a slower backbone, gradients cut to a norm, mixed precision on a GPU."""
    from mmengine.optim import AmpOptimWrapper, OptimWrapper

    wanted = job.recipe.training

    groups: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for name, parameter in model.named_parameters():
        if parameter.requires_grad:
            groups[name.startswith("backbone.")].append(parameter)
    rate = wanted.learning_rate
    optimizer = torch.optim.AdamW(
        [
            {"params": groups[False], "lr": rate},
            {"params": groups[True], "lr": rate * wanted.backbone_rate},
        ],
        weight_decay=wanted.weight_decay,
    )
    wrapper = AmpOptimWrapper if job.device.startswith("cuda") else OptimWrapper
    return wrapper(optimizer=optimizer, clip_grad={"max_norm": wanted.gradient_clip})


def _schedule(job: Job) -> list[dict[str, Any]]:
    """Linear warm-up, then cosine to zero, in iterations."""
    warmup = min(job.recipe.training.warmup_iterations, job.iterations // 10)
    cosine = {
        "type": "CosineAnnealingLR",
        "by_epoch": False,
        "begin": warmup,
        "T_max": job.iterations - warmup,
    }
    if not warmup:
        return [cosine]
    rise = {"type": "LinearLR", "by_epoch": False, "start_factor": 0.01, "end": warmup}
    return [rise, cosine]


def _plain_checkpoints() -> Any:
    """A hook that leaves out of a checkpoint what torch wouldn't read back safely.

    mmengine stores its log windows as objects that name functions; torch's safe reader, which
    mmengine 0.10 gets without asking for it, refuses them. Nothing but smoothed log lines is lost:
    the iteration, the optimizer and the schedule are kept elsewhere.
    """
    from mmengine.hooks import Hook

    class PlainCheckpoints(Hook):
        def before_save_checkpoint(self, runner: Any, checkpoint: dict[str, Any]) -> None:
            checkpoint["message_hub"] = {"log_scalars": {}, "runtime_info": {}, "resumed_keys": {}}

    return PlainCheckpoints()
