"""Files that a power cut or a killed process left behind at the door."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import structlog
from django.conf import settings

from imaging.models import Image, QuarantinedFile

log = structlog.get_logger(__name__)

# longer than any upload or unpacking may take
_MAX_AGE_SECONDS = 6 * 3600
_ORPHAN_SECONDS = 24 * 3600
_ORPHAN_TURNS = 64  # a sweep looks at every 64th of the archive: all of it in under three days
_BATCH = 500


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


def sweep_orphans(*, now: float | None = None) -> int:
    """Put aside what lies in the archive without a row: the power went between file and commit.

    Nobody was told that such a file is stored, so it is moved to MEDIA_ROOT/orphans and logged for
    a person to look at; nothing is deleted. Each call looks at the folders whose turn it is by the
    hour, so that it ends soon however large the archive is.

    Args:
        now: seconds since 1970, for tests.

    Returns:
        How many files were moved.
    """
    now = time.time() if now is None else now
    moved = 0
    old = _old_files(now)
    while batch := list(islice(old, _BATCH)):
        known = _known(batch)
        for relative in batch:
            if relative not in known:
                moved += _put_aside(relative)
    return moved


def _old_files(now: float) -> Iterator[str]:
    """Archived files of this hour's folders, as rows name them, older than a day."""
    root = Path(settings.MEDIA_ROOT)
    turn = int(now // 3600) % _ORPHAN_TURNS
    for folder in ("images", "quarantine"):
        for number in range(turn, 0x100, _ORPHAN_TURNS):
            for path in (root / folder / f"{number:02x}").glob("*/*"):
                with contextlib.suppress(FileNotFoundError):
                    if path.stat().st_mtime < now - _ORPHAN_SECONDS:
                        yield str(path.relative_to(root))


def _known(batch: list[str]) -> set[str]:
    return {
        path
        for rows in (Image.objects, QuarantinedFile.objects)
        for path in rows.filter(path__in=batch).values_list("path", flat=True)
    }


def _put_aside(relative: str) -> bool:
    root = Path(settings.MEDIA_ROOT)
    target = root / "orphans" / relative
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        (root / relative).rename(target)
    except FileNotFoundError:  # another worker was first
        return False
    log.warning("orphan_put_aside", path=relative)
    return True
