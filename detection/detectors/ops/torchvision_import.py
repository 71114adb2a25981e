"""Make `import torchvision` work beside a torch that its binary wasn't linked for.

PyPI's Linux wheel of torchvision is linked against CUDA libraries. Beside torch's CPU build its
operators don't load, and then the plain-Python rest fails as well: it registers shape functions for
two operators that nobody declared. mmengine imports torchvision (environment report, model zoo), so
we declare the two through torch's public interface. They get no kernel: torchvision's own functions
still say that their kernels are missing.
"""

from __future__ import annotations

import functools
import importlib.util
from pathlib import Path
from typing import Final

import torch

_DECLARED_AT_IMPORT: Final = {
    "nms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms": "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
}


@functools.cache
def kernels_load() -> bool:
    """Whether torchvision is installed and its compiled operators load in this process."""
    spec = importlib.util.find_spec("torchvision")
    if spec is None or spec.origin is None:
        return False
    for library in sorted(Path(spec.origin).parent.glob("_C*.so")):
        try:
            torch.ops.load_library(str(library))
        except OSError:
            continue
        return True
    return False


@functools.cache
def prepare() -> None:
    """Declare what `import torchvision` needs, unless its own library has done so."""
    if kernels_load():
        return
    for name, schema in _DECLARED_AT_IMPORT.items():
        if not hasattr(torch.ops.torchvision, name):
            torch.library.define(f"torchvision::{name}", schema)
