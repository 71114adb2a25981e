"""Which version: the one that reads, the one by number."""

from __future__ import annotations

from detection.models import DetectorVersion, VersionState
from twinhealth.errors import NotFoundError


def active_version() -> DetectorVersion | None:
    """The version that reads; `None` before one is registered."""
    return DetectorVersion.objects.filter(state=VersionState.ACTIVE).first()


def shadow_version() -> DetectorVersion | None:
    """The version that reads along; `None` while none does."""
    return DetectorVersion.objects.filter(state=VersionState.SHADOW).first()


def version_by_id(version_id: int) -> DetectorVersion:
    """The version.

    Raises:
        NotFoundError: `no_such_version`.
    """
    version = DetectorVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise no_such_version(version_id)
    return version


def no_such_version(version_id: int) -> NotFoundError:
    """The error for a number without a row."""
    return NotFoundError("no_such_version", "There is no such version.", version=version_id)
