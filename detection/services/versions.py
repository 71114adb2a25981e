"""Which model reads: registering versions, and swapping the active one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.services import audit
from detection.models import DetectorVersion, VersionState
from twinhealth.errors import ConflictError, NotFoundError

from .engine import weights_path
from .runs import active_version

__all__ = ["Manifest", "active_version", "promote", "register_version", "weights_problem"]


class Manifest(Protocol):
    """What a version's manifest says, as `detection.manifest` reads it."""

    @property
    def name(self) -> str: ...  # noqa: D102
    @property
    def sha256(self) -> str: ...  # noqa: D102
    @property
    def file(self) -> str: ...  # noqa: D102
    @property
    def config(self) -> str: ...  # noqa: D102
    @property
    def classes(self) -> Sequence[str]: ...  # noqa: D102
    @property
    def thresholds(self) -> Mapping[str, float]: ...  # noqa: D102
    @property
    def licence(self) -> str: ...  # noqa: D102
    @property
    def training(self) -> Mapping[str, Any]: ...  # noqa: D102
    @property
    def metrics(self) -> Mapping[str, Any]: ...  # noqa: D102


def register_version(manifest: Manifest) -> DetectorVersion:
    """Make the version's row, or find it; what is registered under its hash stays as it is.

    Raises:
        ConflictError: `version_name_taken`, if other weights have the name.
    """
    with transaction.atomic():
        taken = DetectorVersion.objects.filter(name=manifest.name).first()
        if taken is not None and taken.weights_sha256 != manifest.sha256:
            raise ConflictError(
                "version_name_taken",
                f"Other weights are registered as {manifest.name}; give these another name.",
                version=taken.pk,
            )
        version, _ = DetectorVersion.objects.get_or_create(
            weights_sha256=manifest.sha256,
            defaults={
                "name": manifest.name,
                "weights_path": str(manifest.file),
                "config": manifest.config,
                "classes": list(manifest.classes),
                "thresholds": dict(manifest.thresholds),
                "licence": manifest.licence,
                "training": dict(manifest.training),
                "metrics": dict(manifest.metrics),
            },
        )
        return version


def promote(
    *, version_id: int, user: User | None, request: HttpRequest | None = None
) -> DetectorVersion:
    """Make a version the one that reads; the active one is retired in the same transaction.

    New films are read by it from then on; runs that wait keep the version they were made for.

    Args:
        version_id: the version.
        user: who; `None` for the system (first start).
        request: for the audit.

    Raises:
        NotFoundError: `no_such_version`.
        ConflictError: `weights_missing` or `weights_changed`, if its file isn't what it was.
    """
    version = DetectorVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFoundError("no_such_version", "There is no such version.", version=version_id)
    problem = weights_problem(version)  # before the transaction: hashing takes a while
    if problem is not None:
        raise problem
    with transaction.atomic():
        # all rows: two people who promote at once take turns
        list(DetectorVersion.objects.select_for_update().order_by("pk"))
        version.refresh_from_db()
        if version.state == VersionState.ACTIVE:
            return version
        before = active_version()
        DetectorVersion.objects.filter(state=VersionState.ACTIVE).update(state=VersionState.RETIRED)
        version.state = VersionState.ACTIVE
        version.save(update_fields=["state"])
        audit.record(
            actor=user,
            verb="promoted",
            obj=version,
            request=request,
            detail={"version": version.name, "instead_of": before.name if before else ""},
        )
        return version


def weights_problem(version: DetectorVersion) -> ConflictError | None:
    """Why the version's file can't be used: missing, or not the bytes that were registered."""
    path = weights_path(version)
    try:
        digest = _sha256(path)
    except OSError:
        return ConflictError(
            "weights_missing",
            f"The weights file of version {version.name} is not there or can't be read.",
            version=version.name,
        )
    if digest != version.weights_sha256:
        return ConflictError(
            "weights_changed",
            f"The weights file of version {version.name} is not the one that was registered.",
            version=version.name,
        )
    return None


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
