"""Architectures and recipes by name, read from `detection/configs/*.toml`; no torch here."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any, Final

from twinhealth.errors import InvalidInputError

FOLDER: Final = Path(__file__).resolve().parent.parent / "configs"
BACKBONES: Final = {"ResNet-18": 18, "ResNet-34": 34, "ResNet-50": 50}


@dataclass(frozen=True, slots=True)
class Model:
    """The network; each field is explained in `light.toml`."""

    backbone: str
    fpn_channels: int
    head_channels: int
    stage_iou: tuple[float, ...]
    proposals: int
    nms_iou: float
    film_weight: float
    film_share: float

    def __post_init__(self) -> None:
        if self.backbone not in BACKBONES:
            raise ValueError(f"backbone must be one of {', '.join(BACKBONES)}")
        if self.film_share and not self.film_weight:
            raise ValueError("film_share needs a head for the film, so a film_weight above 0")

    @property
    def depth(self) -> int:
        """Layers of the ResNet."""
        return BACKBONES[self.backbone]


@dataclass(frozen=True, slots=True)
class Input:
    """What the network is given."""

    longest_side: int


@dataclass(frozen=True, slots=True)
class Pretraining:
    """How the backbone learns to name whole films first; explained in `light.toml`."""

    sides: tuple[int, ...]
    batch_size: int
    learning_rate: float
    weight_decay: float
    rotation: float
    zoom: tuple[float, float]
    gamma: tuple[float, float]
    contrast: tuple[float, float]
    noise: float


@dataclass(frozen=True, slots=True)
class Training:
    """How it is trained; each field is explained in `light.toml`."""

    epochs: int
    batch_size: int
    learning_rate: float
    backbone_rate: float
    warmup_iterations: int
    weight_decay: float
    gradient_clip: float
    regions: int
    frozen_stages: int
    scale: tuple[float, float]
    flip: float
    crop: float
    crop_margin: tuple[float, float]
    gamma: tuple[float, float]
    contrast: tuple[float, float]
    noise: float
    rotation: float
    blank: float
    match: float
    average: float
    patience: int


@dataclass(frozen=True, slots=True)
class Recipe:
    """One file of `detection/configs`."""

    name: str
    model: Model
    input: Input
    training: Training
    pretraining: Pretraining | None = None


def names() -> list[str]:
    """The recipes that there are."""
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def read(name: str) -> Recipe:
    """Read a recipe.

    Args:
        name: `light`, `r50` or another file of `detection/configs`, without its ending.

    Raises:
        InvalidInputError: `config_unknown`, or `config_invalid` with what is wrong in the file.
    """
    if name not in names():
        raise InvalidInputError(
            "config_unknown", f"There is no detector config '{name}'.", known=names()
        )
    try:
        table = tomllib.loads((FOLDER / f"{name}.toml").read_text())
        return Recipe(
            name,
            Model(**_section(Model, table)),
            Input(**_section(Input, table)),
            Training(**_section(Training, table)),
            Pretraining(**_section(Pretraining, table)) if "pretraining" in table else None,
        )
    except (tomllib.TOMLDecodeError, TypeError, ValueError) as error:
        raise InvalidInputError(
            "config_invalid", f"The detector config '{name}' can't be used: {error}"
        ) from error


def shortened(wanted: Pretraining, *, epochs: int | None, side: int | None) -> Pretraining:
    """The first epochs of a recipe's pretraining, on pictures no larger than `side` pixels."""
    sides = wanted.sides[:epochs]
    return replace(wanted, sides=tuple(min(side or given, given) for given in sides))


def _section(
    kind: type[Model | Input | Pretraining | Training], table: dict[str, Any]
) -> dict[str, Any]:
    """The section of a kind, if it has exactly that kind's fields."""
    name = kind.__name__.lower()
    given = table.get(name, {})
    wanted = {field.name for field in fields(kind)}
    if given.keys() != wanted:
        odd = sorted(given.keys() ^ wanted)
        raise ValueError(f"section [{name}] misses or doesn't know: {', '.join(odd)}")
    return {key: tuple(value) if isinstance(value, list) else value for key, value in given.items()}
