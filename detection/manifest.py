"""The JSON beside a weights file, from which a `DetectorVersion` row is made. No torch here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from twinhealth.errors import InvalidInputError, UnavailableError

LICENCE_LENGTH: Final = 200  # characters, as in the database


class Scaling(NamedTuple):
    """What makes a film's score a chance: the logistic function of logit / temperature + offset."""

    temperature: float  # above 0
    offset: float


@dataclass(frozen=True, slots=True)
class Manifest:
    """One set of weights and all that is needed to repeat a reading.

    Attributes:
        name: of the version, at most 64 characters.
        file: name of the weights file, in the manifest's own folder.
        sha256: of that file, 64 hexadecimal digits.
        config: recipe by name (`light`, `r50`).
        classes: labels in the order of the network's outputs.
        thresholds: label -> score from which a box is a finding.
        image_size: longest side of the network's input in pixels.
        licence: terms of use in one sentence, at most 200 characters.
        training: data, recipe, seed.
        metrics: figures of this file on named data.
        scaling: fitted on the validation set that chose the thresholds; `None` where none was.
    """

    name: str
    file: str
    sha256: str
    config: str
    classes: tuple[str, ...]
    thresholds: Mapping[str, float]
    image_size: int
    licence: str = ""
    training: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, Any] = field(default_factory=dict)
    scaling: Scaling | None = None

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`; `read_manifest` gives the same manifest back."""
        return {
            "name": self.name,
            "file": self.file,
            "sha256": self.sha256,
            "config": self.config,
            "classes": list(self.classes),
            "thresholds": dict(self.thresholds),
            "image_size": self.image_size,
            "licence": self.licence,
            "training": dict(self.training),
            "metrics": dict(self.metrics),
            **(self.scaling._asdict() if self.scaling else {}),
        }


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest.

    Args:
        path: the JSON file.

    Raises:
        UnavailableError: `manifest_missing`, if it can't be read.
        InvalidInputError: `manifest_invalid`, with the field that is wrong.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnavailableError(
            "manifest_missing", f"The manifest {path.name} can't be read: {error.strerror}."
        ) from error
    return parse_manifest(content, name=path.name)


def parse_manifest(content: bytes, *, name: str) -> Manifest:
    """Check a manifest's bytes.

    Args:
        content: JSON in UTF-8.
        name: of the file, for the error.

    Raises:
        InvalidInputError: `manifest_invalid`, with the field that is wrong.
    """
    try:
        table = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise _invalid(name, "it isn't JSON") from error
    if not isinstance(table, dict):
        raise _invalid(name, "it isn't an object")
    try:
        manifest = Manifest(
            name=_text(table, "name", 64),
            file=_text(table, "file", 200),
            sha256=_text(table, "sha256", 64),
            config=_text(table, "config", 64),
            classes=tuple(str(label) for label in _of(table, "classes", list)),
            thresholds=_thresholds(_of(table, "thresholds", dict)),
            image_size=_of(table, "image_size", int),
            licence=_text(table, "licence", LICENCE_LENGTH, optional=True),
            training=_of(table, "training", dict),
            metrics=_of(table, "metrics", dict),
            scaling=_scaling(table),
        )
    except ValueError as error:
        raise _invalid(name, str(error)) from error
    _check(name, manifest)
    _check_storable(name, manifest)
    return manifest


def beside(weights: Path) -> Manifest | None:
    """The manifest beside a weights file; `None` where there is none.

    Raises:
        InvalidInputError: `manifest_invalid`.
    """
    path = weights.with_suffix(".json")
    return read_manifest(path) if path.exists() else None


def expected_sha256(weights: Path) -> str | None:
    """The hash that the manifest beside a weights file names; `None` where there is no manifest.

    Raises:
        InvalidInputError: `manifest_invalid`.
    """
    manifest = beside(weights)
    return manifest.sha256 if manifest else None


def _check(name: str, manifest: Manifest) -> None:
    hexadecimal = set("0123456789abcdef")
    if len(manifest.sha256) != 64 or not set(manifest.sha256) <= hexadecimal:
        raise _invalid(name, "sha256 must be 64 lower-case hexadecimal digits")
    if Path(manifest.file).name != manifest.file:
        raise _invalid(name, "file must be a name in the manifest's own folder")
    if not manifest.classes or len(set(manifest.classes)) != len(manifest.classes):
        raise _invalid(name, "classes must be a list of different labels")
    if set(manifest.thresholds) != set(manifest.classes):
        raise _invalid(name, "thresholds must name each class once")
    if not 32 <= manifest.image_size <= 4096:
        raise _invalid(name, "image_size must lie between 32 and 4096")


def _check_storable(name: str, manifest: Manifest) -> None:
    """Refuse what Python's parser lets pass and no database holds."""
    try:
        text = json.dumps(manifest.as_json(), ensure_ascii=False, allow_nan=False)
        text.encode()
    except ValueError as error:
        raise _invalid(name, "it holds NaN, infinity or half of a surrogate pair") from error
    if "\\u0000" in text:
        raise _invalid(name, "it holds a NUL character")


def _invalid(name: str, why: str) -> InvalidInputError:
    return InvalidInputError("manifest_invalid", f"The manifest {name} can't be used: {why}.")


def _of(table: dict[str, Any], key: str, kind: type) -> Any:
    value = table.get(key)
    if not isinstance(value, kind) or isinstance(value, bool):
        raise ValueError(f"{key} must be a JSON {kind.__name__}")  # noqa: TRY004 - of the file
    return value


def _text(table: dict[str, Any], key: str, most: int, *, optional: bool = False) -> str:
    value = table.get(key, "" if optional else None)
    if not isinstance(value, str) or len(value) > most or not (value or optional):
        raise ValueError(f"{key} must be text of at most {most} characters")
    return value


def _scaling(table: dict[str, Any]) -> Scaling | None:
    if "temperature" not in table:
        return None
    temperature, offset = table["temperature"], table.get("offset", 0.0)
    for name, value in (("temperature", temperature), ("offset", offset)):
        if isinstance(value, bool) or not isinstance(value, int | float) or not -100 < value < 100:
            raise ValueError(f"{name} must be a number between -100 and 100")
    if temperature <= 0:
        raise ValueError("temperature must be above 0")
    return Scaling(float(temperature), float(offset))


def _thresholds(table: dict[str, Any]) -> dict[str, float]:
    for label, value in table.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
            raise ValueError(f"the threshold of {label} must lie between 0 and 1")
    return {str(label): float(value) for label, value in table.items()}
