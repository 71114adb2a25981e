"""Files that a power cut or a killed process left behind at the door."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path

import structlog
from django.conf import settings

log = structlog.get_logger(__name__)

# longer than any upload or unpacking may take
_MAX_AGE_SECONDS = 6 * 3600


def sweep_incoming() -> int:
    """Remove what has lain in MEDIA_ROOT/incoming for hours: nobody was told that it's stored.

    Returns:
        How many files were removed.
    """
    removed = 0
    oldest = time.time() - _MAX_AGE_SECONDS
    for path in (Path(settings.MEDIA_ROOT) / "incoming").glob("*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < oldest:
                path.unlink()
                removed += 1
    if removed:
        log.warning("incoming_swept", count=removed)
    return removed
