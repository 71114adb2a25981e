"""A version as two files: the weights, and the manifest that names them by hash."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from detection.manifest import Manifest, read_manifest

from . import weights_file


def release(
    weights: Path,
    *,
    state: Mapping[str, Tensor],
    meta: weights_file.Meta,
    metrics: Mapping[str, Any],
    temperature: float | None = None,
) -> Manifest:
    """Write `weights` in half precision, and its manifest beside it (`.json`).

    Args:
        weights: path of the `.pth` file.
        state: the network's tensors.
        meta: what the weights say of themselves.
        metrics: figures on named data, for the manifest.
        temperature: fitted on validation films, for the manifest.

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
        temperature=temperature,
    )
    write_manifest(weights.with_suffix(".json"), manifest)
    return manifest


def with_metrics(manifest: Path, *, temperature: float | None = None, **metrics: Any) -> Manifest:
    """Add figures, and a temperature where given; the weights stay the same file."""
    before = read_manifest(manifest)
    after = dataclasses.replace(
        before,
        metrics={**before.metrics, **metrics},
        temperature=before.temperature if temperature is None else temperature,
    )
    write_manifest(manifest, after)
    return after


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write it as JSON that reads well in a diff."""
    path.write_text(json.dumps(manifest.as_json(), indent=2, ensure_ascii=False) + "\n")


def summary(report: Mapping[str, Any]) -> dict[str, Any]:
    """What of an evaluation's report belongs into a manifest: the figures that people compare.

    The evidence of each film, curves and controls stay in the report.
    """
    return {
        "images": report["data"]["images"],
        "boxes": report["data"]["boxes"],
        "patients": report["data"]["patients"],
        "headline": {
            name: {key: figure[key] for key in ("value", "low", "high")}
            for name, figure in report["headline"].items()
        },
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
        "ece": {
            stage: report["calibration"][stage] and report["calibration"][stage]["ece"]
            for stage in ("before", "after")
        },
    }


def _row(value: Any) -> bool:
    return value is None or isinstance(value, Mapping)
