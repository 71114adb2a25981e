"""A version as two files: the weights, and the manifest that names them by hash."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from detection.manifest import Manifest, Scaling, read_manifest

from . import weights_file


def release(
    weights: Path,
    *,
    state: Mapping[str, Tensor],
    meta: weights_file.Meta,
    metrics: Mapping[str, Any],
    scaling: Scaling | None = None,
) -> Manifest:
    """Write `weights` in half precision, and its manifest beside it (`.json`).

    Args:
        weights: path of the `.pth` file.
        state: the network's tensors.
        meta: what the weights say of themselves.
        metrics: figures on named data, for the manifest.
        scaling: what makes the scores of films chances, where it was fitted.

    Returns:
        The manifest as written.
    """
    manifest = Manifest(
        name=meta.name,
        file=weights.name,
        sha256=weights_file.save(weights, state, meta),
        config=meta.config,
        classes=meta.classes,
        thresholds=meta.thresholds,
        image_size=meta.image_size,
        licence=meta.licence,
        training=meta.training,
        metrics=metrics,
        scaling=scaling,
    )
    write_manifest(weights.with_suffix(".json"), manifest)
    return manifest


def with_metrics(manifest: Path, **metrics: Any) -> Manifest:
    """Add figures to a manifest; the weights stay the same file."""
    before = read_manifest(manifest)
    after = dataclasses.replace(before, metrics={**before.metrics, **metrics})
    write_manifest(manifest, after)
    return after


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write it as JSON that reads well in a diff."""
    path.write_text(json.dumps(manifest.as_json(), indent=2, ensure_ascii=False) + "\n")


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """What of an evaluation's report belongs into a manifest: the figures that people compare."""
    return {
        "images": report["data"]["images"],
        "boxes": report["data"]["boxes"],
        "ap": report["ap"],
        "ap50_by_source": {
            source: {name: row and row["ap50"] for name, row in group["ap"].items() if _row(row)}
            for source, group in report["by_source"].items()
        },
        "image_auc": report["image_auc"],
        "image_auc_by_source": {
            source: group["image_auc"] for source, group in report["by_source"].items()
        },
        "operating_point": report["operating_point"],
        "flags": report["flags"],
        # only the full report has intervals
        **(_with_intervals(report) if "headline" in report else {}),
    }


def _with_intervals(report: Mapping[str, Any]) -> dict[str, Any]:
    calibration = report["calibration"]
    return {
        "headline": {name: _rounded(figure) for name, figure in report["headline"].items()},
        "counts": report["counts"],
        "ece_scaled": calibration["after"]
        and {"fitted_on": calibration["fitted_on"], **_rounded(calibration["after"]["ece"])},
    }


def _rounded(figure: Mapping[str, float | None]) -> dict[str, float | None]:
    return {key: value if value is None else round(value, 6) for key, value in figure.items()}


def _row(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)
