"""Weights on disk: `{"state_dict", "meta"}`, written and read without running anything from them.

A `.pth` file is a zip with a pickle inside. It is read with `weights_only=True`, after its hash and
its declared sizes were checked, from bytes that were read once, so that what was checked is what is
loaded.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor

from twinhealth.errors import UnavailableError

from . import preprocess
from .classes import CLASSES

MAX_BYTES: Final = 1024**3
_ZIP, _PICKLE = b"PK\x03\x04", b"\x80"


@dataclass(frozen=True, slots=True)
class Meta:
    """What a weights file says of itself; `thresholds` has one score per class."""

    name: str
    config: str
    classes: tuple[str, ...]
    image_size: int
    thresholds: dict[str, float]
    licence: str
    training: dict[str, Any]

    def as_dict(self) -> dict[str, Any]:
        """As stored: plain values only, and the preprocessing that the network was trained with."""
        return {
            "format": 1,
            "name": self.name,
            "config": self.config,
            "classes": list(self.classes),
            "image_size": self.image_size,
            "thresholds": dict(self.thresholds),
            "preprocessing": {
                "percentiles": list(preprocess.PERCENTILES),
                "central_share": preprocess.CENTRAL_SHARE,
                "mean": preprocess.MEAN,
                "std": preprocess.STD,
            },
            "licence": self.licence,
            "training": self.training,
        }


@dataclass(frozen=True, slots=True)
class Weights:
    """A file that was read: hash, tensors in float32, what it says of itself."""

    sha256: str
    state: dict[str, Tensor]
    meta: Meta


def save(path: Path, state: Mapping[str, Tensor], meta: Meta) -> str:
    """Write a weights file in half precision.

    Args:
        path: written anew, replaced at once.
        state: the network's tensors.
        meta: what to say of them.

    Returns:
        The file's sha256.
    """
    half = {
        key: value.detach().cpu().half() if value.is_floating_point() else value.detach().cpu()
        for key, value in state.items()
    }
    buffer = io.BytesIO()
    torch.save({"state_dict": half, "meta": meta.as_dict()}, buffer)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(buffer.getvalue())
    temporary.replace(path)
    return hashlib.sha256(buffer.getvalue()).hexdigest()


def read(path: Path, expected_sha256: str | None = None) -> Weights:
    """Read and check a weights file.

    Args:
        path: the file.
        expected_sha256: refuse any other; `None` for a file of one's own making.

    Raises:
        UnavailableError: `weights_missing`, `weights_wrong_hash`, `weights_damaged`,
            `weights_unsafe`, `weights_wrong_classes`, `weights_not_finite`.
    """
    content = _bytes(path)
    sha256 = hashlib.sha256(content).hexdigest()
    if expected_sha256 is not None and sha256 != expected_sha256.lower():
        raise _refused(
            "wrong_hash",
            f"The weights file {path.name} isn't the registered one: its sha256 is "
            f"{sha256[:12]}…, expected {expected_sha256[:12]}…. Put the right file back.",
        )
    loaded = _unpickle(path, content)
    try:
        meta = _meta(path, loaded["meta"])
        state = {str(key): _tensor(value) for key, value in loaded["state_dict"].items()}
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise _damaged(path, "it has no usable state_dict and meta") from error
    broken = [key for key, value in state.items() if not bool(torch.isfinite(value).all())]
    if broken:
        raise _refused(
            "not_finite", f"The weights file {path.name} holds NaN or infinity in {broken[0]}."
        )
    return Weights(sha256, state, meta)


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise _damaged(path, "it is larger than 1 GiB")
        return path.read_bytes()
    except OSError as error:
        raise _refused(
            "missing", f"The weights file {path.name} can't be read: {error.strerror}."
        ) from error


def _unpickle(path: Path, content: bytes) -> dict[str, Any]:
    if content.startswith(_PICKLE):
        raise _unsafe(path)  # the old format, a bare pickle; it isn't even looked into
    if not content.startswith(_ZIP):
        raise _damaged(path, "it isn't a file of torch")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
        if any(e.compress_type != zipfile.ZIP_STORED for e in entries):
            raise _damaged(path, "its parts are compressed")
        loaded = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _unsafe(path) from error
    except (zipfile.BadZipFile, RuntimeError, EOFError, ValueError, KeyError) as error:
        raise _damaged(path, "it is truncated or damaged") from error
    if not isinstance(loaded, dict):
        raise _damaged(path, "it holds no dictionary")
    return loaded


def _meta(path: Path, table: dict[str, Any]) -> Meta:
    classes = tuple(str(label) for label in table["classes"])
    if sorted(classes) != sorted(CLASSES):
        raise _refused(
            "wrong_classes",
            f"The weights file {path.name} tells {', '.join(classes) or 'nothing'} apart; "
            f"wanted are {', '.join(CLASSES)}.",
        )
    thresholds = {label: float(table["thresholds"][label]) for label in classes}
    return Meta(
        name=str(table["name"]),
        config=str(table["config"]),
        classes=classes,
        image_size=int(table["image_size"]),
        thresholds=thresholds,
        licence=str(table["licence"]),
        training=dict(table["training"]),
    )


def _tensor(value: Any) -> Tensor:
    if not isinstance(value, Tensor):
        raise TypeError("not a tensor")
    return value.float() if value.is_floating_point() else value


def _refused(what: str, message: str) -> UnavailableError:
    return UnavailableError(f"weights_{what}", message)


def _damaged(path: Path, why: str) -> UnavailableError:
    return _refused("damaged", f"The weights file {path.name} can't be used: {why}.")


def _unsafe(path: Path) -> UnavailableError:
    return _refused(
        "unsafe",
        f"The weights file {path.name} wants to run code when it is read; it was not loaded.",
    )
