"""Imports mmdetection with our operators in place; everything else here imports it through this.

mmdetection 3.3 and mmcv 2.1 are older than the torch beside them, and say so with deprecation
warnings when imported. They are silenced here, for these imports, by category and place of birth.
"""

from __future__ import annotations

import importlib
import logging
import warnings
from typing import Any

from . import ops


def load(operators: str) -> None:
    """Install the operators and import the parts that build and run a model; again is cheap.

    Args:
        operators: `auto`, `adapter` or `compiled`.

    Raises:
        UnavailableError: see `ops.install`.
    """
    ops.install(operators)
    _import("mmdet.models")


def load_training() -> None:
    """Import the parts that only training needs; `load` must have run."""
    for name in ("mmdet.datasets", "mmdet.engine", "mmengine.runner"):
        _import(name)


def init_weights(network: Any) -> None:
    """Give a network its random weights, without mmengine's log of three lines per tensor.

    mmengine writes that log into the file of its latest logger, also when whoever configured
    logging since has closed it; so the file is taken away meanwhile.
    """
    from mmengine.logging import MMLogger

    logger = MMLogger.get_current_instance()
    files = [handler for handler in logger.handlers if isinstance(handler, logging.FileHandler)]
    for handler in files:
        logger.removeHandler(handler)
    logging.disable(logging.INFO)
    try:
        network.init_weights()
    finally:
        logging.disable(logging.NOTSET)
        for handler in files:
            logger.addHandler(handler)


def _import(name: str) -> Any:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"`torch\.jit\.", DeprecationWarning)
        warnings.filterwarnings("ignore", ".*MultiScaleDeformableAttention", ImportWarning)
        return importlib.import_module(name)
