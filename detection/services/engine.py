"""The detector of this process: loaded once per set of weights, changed with the active version.

Nothing here is needed by the web process, and torch comes in only when a detector is loaded.
"""

from __future__ import annotations

import threading
from pathlib import Path

import structlog
from django.conf import settings

from detection.detectors.loader import load_detector
from detection.detectors.prediction import Detector
from detection.models import DetectorVersion
from twinhealth.errors import DomainError, UnavailableError

log = structlog.get_logger(__name__)
_lock = threading.Lock()
_loaded: dict[str, Detector] = {}


def detector_for(version: DetectorVersion) -> Detector:
    """The version's detector; one is kept per process, another version takes its place.

    Raises:
        UnavailableError: `weights_unusable`, if the file is missing, changed or broken. The next
            call tries again, so that a repaired file is picked up without a restart.
    """
    with _lock:
        known = _loaded.get(version.weights_sha256)
        if known is not None:
            return known
        path = weights_path(version)
        try:
            detector = load_detector(weights=path, expected_sha256=version.weights_sha256)
        except (DomainError, OSError, ValueError, RuntimeError) as error:
            log.exception("weights_unusable", version=version.name, path=str(path))
            raise UnavailableError(
                "weights_unusable",
                f"The weights of detector version {version.name} can't be used; "
                "an admin must put the file back. Films wait until then.",
                version=version.name,
                cause=getattr(error, "code", type(error).__name__),
            ) from error
        _loaded.clear()  # two sets of weights don't fit a worker's memory
        _loaded[version.weights_sha256] = detector
        log.info("detector_loaded", version=version.name, sha256=version.weights_sha256[:12])
        return detector


def weights_path(version: DetectorVersion) -> Path:
    """Where the version's weights lie.

    A relative path counts from MEDIA_ROOT for uploaded ones, else from the settings' folder, so
    that either folder can be moved.
    """
    if version.uploaded:
        return Path(settings.MEDIA_ROOT) / version.weights_path
    return Path(settings.DETECTOR_WEIGHTS).parent / version.weights_path


def forget() -> None:
    """Drop what is loaded (tests)."""
    with _lock:
        _loaded.clear()
