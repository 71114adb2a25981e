"""The door to the detector: torch comes in only with `load_detector()`."""

from __future__ import annotations

from pathlib import Path

from .prediction import Detector


def load_detector(
    *,
    weights: Path,
    expected_sha256: str | None = None,
    threads: int | None = None,
    device: str | None = None,
    operators: str | None = None,
) -> Detector:
    """Load weights and build their network; takes seconds and some 400 MB the first time.

    Args:
        weights: a file written by `weights_file.save`.
        expected_sha256: refuse another file; `None` trusts it (a file of one's own making).
        threads: CPU threads of torch, for the whole process; else setting `DETECTOR_THREADS`.
        device: `cpu` or `cuda`; else setting `DETECTOR_DEVICE`.
        operators: `auto`, `adapter`, `compiled`; else setting `DETECTOR_OPS`.

    Raises:
        UnavailableError: `weights_missing`, `weights_wrong_hash`, `weights_damaged`,
            `weights_unsafe`, `weights_wrong_classes`, `weights_wrong_keys`, `weights_not_finite`,
            `detector_no_device`, or an error of `ops.install`.
    """
    from django.conf import settings

    from .engine import load

    return load(
        weights=weights,
        expected_sha256=expected_sha256,
        threads=threads or settings.DETECTOR_THREADS,
        device=device or settings.DETECTOR_DEVICE,
        operators=operators or settings.DETECTOR_OPS,
    )
