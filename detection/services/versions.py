"""Registering versions of the detector, and the steps of one that don't change which one reads.

Which one reads is `detection.services.promotion`'s business.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.services import audit
from detection.manifest import Manifest
from detection.models import (
    DetectorVersion,
    Purpose,
    ReadingState,
    VersionReading,
    VersionState,
)
from twinhealth.errors import ConflictError

from .engine import weights_path
from .version_states import VersionStep, target
from .which import no_such_version, shadow_version, version_by_id


def register_version(
    manifest: Manifest,
    *,
    folder: Path | None = None,
    uploaded_to: str = "",
    user: User | None = None,
) -> DetectorVersion:
    """Make the version's row, or find it; what is registered under its hash stays as it is.

    Args:
        manifest: the file beside the weights, read.
        folder: where both lie, unless it is the folder of the setting `DETECTOR_WEIGHTS`. The
            latter isn't stored, so that a hospital's folder can be moved.
        uploaded_to: path below MEDIA_ROOT instead, of a file that came through the models page.
        user: who brought it; `None` for the command line or a release.

    Raises:
        ConflictError: `version_name_taken`, if other weights have the name.
    """
    usual = Path(settings.DETECTOR_WEIGHTS).parent.resolve()
    elsewhere = folder is not None and folder.resolve() != usual
    path = folder.resolve() / manifest.file if folder and elsewhere else Path(manifest.file)
    with transaction.atomic():
        refuse_taken_name(manifest)
        version, _ = DetectorVersion.objects.get_or_create(
            weights_sha256=manifest.sha256,
            defaults={
                "name": manifest.name,
                "weights_path": uploaded_to or str(path),
                "uploaded": bool(uploaded_to),
                "config": manifest.config,
                "classes": list(manifest.classes),
                "thresholds": dict(manifest.thresholds),
                "temperature": manifest.temperature,
                "licence": manifest.licence,
                "training": dict(manifest.training),
                "metrics": dict(manifest.metrics),
                "registered_by": user,
            },
        )
        return version


def refuse_taken_name(manifest: Manifest) -> None:
    """See that no other weights have the manifest's name.

    Raises:
        ConflictError: `version_name_taken`.
    """
    taken = DetectorVersion.objects.filter(name=manifest.name).first()
    if taken is not None and taken.weights_sha256 != manifest.sha256:
        raise ConflictError(
            "version_name_taken",
            f"Other weights are registered as {manifest.name}; give these another name.",
            version=taken.pk,
        )


def start_shadow(
    *, version_id: int, user: User, request: HttpRequest | None = None
) -> DetectorVersion:
    """Have a candidate read each new film too, apart from what clinicians see.

    Raises:
        NotFoundError: `no_such_version`.
        ConflictError: `bad_transition`; `another_shadow`, if one reads along already;
            `weights_missing` or `weights_changed`.
    """
    problem = weights_problem(version_by_id(version_id))
    with transaction.atomic():
        version = lock_versions(version_id)
        end = target(version, VersionStep.READ_ALONG)
        other = shadow_version()
        if other is not None:
            raise ConflictError(
                "another_shadow",
                f"{other.name} reads along already; one does at a time. End that first.",
                version=other.pk,
            )
        if problem is not None:
            raise problem
        return _step(version, end, "read_along", user=user, request=request)


def stop_shadow(
    *, version_id: int, user: User, request: HttpRequest | None = None
) -> DetectorVersion:
    """End reading along; what was read stays, what waits is dropped.

    Raises:
        NotFoundError: `no_such_version`.
        ConflictError: `bad_transition`.
    """
    with transaction.atomic():
        version = lock_versions(version_id)
        end = target(version, VersionStep.STOP_READING_ALONG)
        drop_waiting(version, Purpose.SHADOW)
        return _step(version, end, "stopped_reading_along", user=user, request=request)


def retire(*, version_id: int, user: User, request: HttpRequest | None = None) -> DetectorVersion:
    """Put a candidate or shadow away; it can still be promoted.

    Raises:
        NotFoundError: `no_such_version`.
        ConflictError: `bad_transition`, of the active one too: something must read.
    """
    with transaction.atomic():
        version = lock_versions(version_id)
        end = target(version, VersionStep.RETIRE)
        drop_waiting(version, *Purpose)
        return _step(version, end, "retired", user=user, request=request)


def _step(
    version: DetectorVersion,
    end: VersionState,
    verb: str,
    *,
    user: User,
    request: HttpRequest | None,
) -> DetectorVersion:
    version.state = end
    version.save(update_fields=["state"])
    audit.record(
        actor=user, verb=verb, obj=version, request=request, detail={"version": version.name}
    )
    return version


def lock_versions(version_id: int) -> DetectorVersion:
    """Lock all versions' rows, so that people who act at once take turns; the one asked for.

    Raises:
        NotFoundError: `no_such_version`.
    """
    rows = DetectorVersion.objects.select_for_update().order_by("pk")
    version = {row.pk: row for row in rows}.get(version_id)
    if version is None:
        raise no_such_version(version_id)
    return version


def drop_waiting(version: DetectorVersion, *purposes: Purpose) -> int:
    """Take back the readings apart that wait for the version; how many those were."""
    waiting = VersionReading.objects.filter(
        version=version, state=ReadingState.QUEUED, purpose__in=purposes
    )
    return waiting.delete()[0]


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
