"""Which model reads: registering versions, and swapping the active one."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.manifest import Manifest
from detection.models import DetectorVersion, Promotion, VersionState
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from .engine import weights_path
from .runs import active_version

__all__ = ["active_version", "promote", "register_version", "roll_back", "weights_problem"]
REASON_LENGTH: Final = 500  # characters, as in the database


def register_version(manifest: Manifest, *, folder: Path | None = None) -> DetectorVersion:
    """Make the version's row, or find it; what is registered under its hash stays as it is.

    Args:
        manifest: the file beside the weights, read.
        folder: where both lie, unless it is the folder of the setting `DETECTOR_WEIGHTS`. The
            latter isn't stored, so that a hospital's folder can be moved.

    Raises:
        ConflictError: `version_name_taken`, if other weights have the name.
    """
    usual = Path(settings.DETECTOR_WEIGHTS).parent.resolve()
    elsewhere = folder is not None and folder.resolve() != usual
    path = folder.resolve() / manifest.file if folder and elsewhere else Path(manifest.file)
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
                "weights_path": str(path),
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
    *, version_id: int, user: User | None, reason: str = "", request: HttpRequest | None = None
) -> DetectorVersion:
    """Make a version the one that reads; the active one is retired in the same transaction.

    New films are read by it from then on; runs that wait keep the version they were made for.

    Args:
        version_id: the version; the active one stays what it is.
        user: who; `None` for the system (first start).
        reason: why, at most 500 characters; kept with the change.
        request: for the audit.

    Raises:
        NotFoundError: `no_such_version`.
        InvalidInputError: `reason_too_long`.
        ConflictError: `weights_missing` or `weights_changed`, if its file isn't what it was.
    """
    version = DetectorVersion.objects.filter(pk=version_id).first()
    if version is None:
        raise NotFoundError("no_such_version", "There is no such version.", version=version_id)
    return _swap(version, user=user, reason=reason, request=request)


def roll_back(
    *, user: User, reason: str = "", request: HttpRequest | None = None
) -> DetectorVersion:
    """Make the version that read before the active one the active one again.

    Again undoes it: the version that was rolled back reads once more.

    Raises:
        ConflictError: `nothing_to_roll_back`, if no other version has read here, and what `promote`
            raises for a file that isn't what it was.
        InvalidInputError: `reason_too_long`.
    """
    last = Promotion.objects.select_related("instead_of").first()
    if last is None or last.instead_of is None:
        raise ConflictError(
            "nothing_to_roll_back", "No other version has read here before the active one."
        )
    return _swap(last.instead_of, user=user, reason=reason, request=request, rolled_back=True)


def _swap(
    version: DetectorVersion,
    *,
    user: User | None,
    reason: str,
    request: HttpRequest | None,
    rolled_back: bool = False,
) -> DetectorVersion:
    reason = reason.strip()
    if len(reason) > REASON_LENGTH:
        raise InvalidInputError(
            "reason_too_long", f"The reason may have {REASON_LENGTH} characters at most."
        )
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
        entry = audit.record(
            actor=user,
            verb="rolled_back" if rolled_back else "promoted",
            obj=version,
            request=request,
            detail={
                "version": version.name,
                "instead_of": before.name if before else "",
                "reason": reason,
            },
        )
        Promotion.objects.create(
            version=version,
            instead_of=before,
            by=user,
            by_name=entry.actor_name,
            at=timezone.now(),
            reason=reason,
            rolled_back=rolled_back,
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
