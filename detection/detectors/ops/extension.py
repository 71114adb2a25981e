"""A stand-in for mmcv's compiled extension that sends each call where it runs best.

| mode       | CPU tensors | CUDA tensors                                   |
| ---------- | ----------- | ---------------------------------------------- |
| `auto`     | ours        | compiled where it is installed, else ours      |
| `adapter`  | ours        | ours                                           |
| `compiled` | compiled    | compiled; without it `install` raises          |

`auto` prefers ours on CPU because mmcv's own CPU kernels are loops on one thread.
"""

from __future__ import annotations

import functools
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Callable
from typing import Any, Final, Literal, get_args

import torch

from twinhealth.errors import UnavailableError

from . import torchvision_import
from .nms import nms
from .roi_align import roi_align_backward, roi_align_forward

Mode = Literal["auto", "adapter", "compiled"]
NAME: Final = "mmcv._ext"
OURS: Final[dict[str, Callable[..., Any]]] = {
    "nms": nms,
    "roi_align_forward": roi_align_forward,
    "roi_align_backward": roi_align_backward,
}


class Extension(types.ModuleType):
    """Takes the place of `mmcv._ext`.

    Args:
        mode: see the table of this module.
        compiled: mmcv's compiled extension, where it is installed.
    """

    def __init__(self, mode: Mode, compiled: types.ModuleType | None) -> None:
        super().__init__(NAME, "Operators of mmcv, chosen per call.")
        # importlib.util.find_spec reads it when somebody asks whether the extension exists
        self.__spec__ = importlib.machinery.ModuleSpec(NAME, None)
        self.mode: Mode = mode
        self.compiled = compiled

    def get_compiler_version(self) -> str:
        """What mmengine's environment report shows."""
        return str(self.compiled.get_compiler_version()) if self.compiled else "not compiled"

    def get_compiling_cuda_version(self) -> str:
        """What mmengine's environment report shows."""
        return str(self.compiled.get_compiling_cuda_version()) if self.compiled else "not compiled"

    def __getattr__(self, name: str) -> Callable[..., Any]:
        # mmcv asks for all its ~120 operators by `hasattr` when it is imported; one that we lack
        # must exist then, and says what is missing when it is called.
        if name.startswith("__"):
            raise AttributeError(name)
        operator = functools.partial(self._call, name)
        self.__dict__[name] = operator
        return operator

    def _call(self, name: str, *args: Any, **kwargs: Any) -> Any:
        ours = OURS.get(name)
        if self._wants_compiled(ours, args, kwargs):
            named = {key: _in_rows(x) for key, x in kwargs.items()}
            return getattr(self.compiled, name)(*map(_in_rows, args), **named)
        if ours is None:
            raise NotImplementedError(
                f"mmcv's operator '{name}' isn't part of this installation: it needs mmcv with its "
                f"compiled extension. Available without it: {', '.join(OURS)}."
            )
        return ours(*args, **kwargs)

    def _wants_compiled(
        self, ours: Callable[..., Any] | None, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> bool:
        if self.compiled is None:
            return False
        if ours is None or self.mode == "compiled":
            return True
        tensors = (x for x in (*args, *kwargs.values()) if isinstance(x, torch.Tensor))
        return self.mode == "auto" and any(x.is_cuda for x in tensors)


def install(mode: str = "auto") -> Extension:
    """Put the operators in place; the same call again changes the mode.

    Args:
        mode: `auto`, `adapter` or `compiled` (setting `DETECTOR_OPS`).

    Returns:
        The module that now answers as `mmcv._ext`.

    Raises:
        UnavailableError: `detector_ops_unknown` for another word, `detector_ops_missing` when the
            compiled operators are demanded and aren't installed.
    """
    if mode not in get_args(Mode):
        raise UnavailableError(
            "detector_ops_unknown",
            f"DETECTOR_OPS is '{mode}'; it must be one of {', '.join(get_args(Mode))}.",
        )
    present = sys.modules.get(NAME)
    compiled = present.compiled if isinstance(present, Extension) else _find_compiled()
    if mode == "compiled" and compiled is None:
        raise UnavailableError(
            "detector_ops_missing",
            "DETECTOR_OPS=compiled, but mmcv was installed without its compiled operators.",
        )
    torchvision_import.prepare()
    if isinstance(present, Extension):
        present.mode = mode  # type: ignore[assignment]
        return present
    extension = Extension(mode, compiled)  # type: ignore[arg-type]
    sys.modules[NAME] = extension
    return extension


def describe() -> str:
    """One line for logs and reports: which operators answer."""
    present = sys.modules.get(NAME)
    if not isinstance(present, Extension):
        return "not installed"
    kernels = "torchvision" if torchvision_import.kernels_load() else "torch"
    built = "with" if present.compiled else "without"
    return f"{present.mode} ({kernels} kernels, {built} mmcv's compiled extension)"


def _in_rows(value: Any) -> Any:
    """A tensor as mmcv's kernels take every tensor to lie: they walk raw memory.

    What they write into is made by mmcv, lies so, and stays the same object.
    """
    return value.contiguous() if isinstance(value, torch.Tensor) else value


def _find_compiled() -> types.ModuleType | None:
    if importlib.util.find_spec(NAME) is None:
        return None
    try:
        return importlib.import_module(NAME)
    except (ImportError, OSError):  # built for another torch: as good as absent
        return None
