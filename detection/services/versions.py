"""Which model reads: registering versions, and swapping the active one."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.manifest import Manifest
from detection.models import VAL, DetectorVersion, Promotion, Purpose, VersionState
from twinhealth.errors import ConflictError, InvalidInputError

from .comparison import Gate, chosen_on_val, gate
from .engine import weights_path
from .readings import drop_waiting
from .version_states import VersionStep, target
from .which import active_version, no_such_version, version_by_id

__all__ = [
    "active_version",
    "lock_versions",
    "promote",
    "refuse_taken_name",
    "register_version",
    "roll_back",
    "weights_problem",
]
SHORTEST_REASON: Final = 20  # characters: a sentence, not a full stop
REASON_LENGTH: Final = 500  # characters, as in the database


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
        uploaded_to: path below MEDIA_ROOT instead, of weights that were uploaded.
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
                "licence": manifest.licence,
                "training": dict(manifest.training),
                "metrics": dict(manifest.metrics),
                **(manifest.scaling._asdict() if manifest.scaling else {}),
                "registered_by": user,
            },
        )
        return version


def refuse_taken_name(manifest: Manifest) -> None:
    """See that no other weights have the name.

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


def promote(
    *,
    version_id: int,
    user: User | None,
    reason: str = "",
    instead_of: int | None = None,
    request: HttpRequest | None = None,
) -> DetectorVersion:
    """Make a version the one that reads; the active one is retired in the same transaction.

    New films are read by it from then on; runs that wait keep the version they were made for.
    Thresholds and the scaling of scores are chosen again from its own evidence on val, where there
    is any.

    Args:
        version_id: the version; the active one stays what it is.
        user: who; `None` for the system (a first start, a release), which needs no evidence.
        reason: why, at most 500 characters; kept with the change. At least 20 are needed where
            the evidence doesn't speak for the version.
        instead_of: the version that the person believes to be active; not looked at if `None`.
        request: for the audit.

    Raises:
        NotFoundError: `no_such_version`.
        InvalidInputError: `reason_too_long`.
        ConflictError: `weights_missing` or `weights_changed`, if its file isn't what it was;
            `reason_needed`; `active_changed`, if another one was promoted meanwhile.
    """
    version = version_by_id(version_id)
    before = active_version()
    if instead_of is not None and (before.pk if before else None) != instead_of:
        raise _active_changed()
    reason = _checked(reason, version)
    found = gate(version, before) if user is not None and version != before else Gate()
    if found.why and len(reason) < SHORTEST_REASON:
        raise ConflictError(
            "reason_needed",
            f"{found.why} Promote it with a reason of at least {SHORTEST_REASON} characters.",
            worse=list(found.worse),
            shortest=SHORTEST_REASON,
        )
    with transaction.atomic():
        version = lock_versions(version_id)
        if version.state == VersionState.ACTIVE:
            return version
        if active_version() != before:
            raise _active_changed()
        change = _Change(version, before, target(version, VersionStep.PROMOTE), reason, found)
        return _activate(change, user=user, request=request)


def roll_back(
    *, user: User, reason: str = "", request: HttpRequest | None = None
) -> DetectorVersion:
    """Make the version that read before the active one the active one again.

    No evidence is asked for. Again undoes it: the version that was rolled back reads once more.

    Raises:
        ConflictError: `nothing_to_roll_back`, if no other version has read here; `active_changed`,
            and `weights_missing` or `weights_changed`, if its file isn't what it was.
        InvalidInputError: `reason_too_long`.
    """
    last = Promotion.objects.select_related("instead_of").first()
    if last is None or last.instead_of is None:
        raise ConflictError(
            "nothing_to_roll_back", "No other version has read here before the active one."
        )
    reason = _checked(reason, last.instead_of)
    with transaction.atomic():
        version = lock_versions(last.instead_of.pk)
        before = active_version()
        if before is None or before.pk != last.version_id:
            raise _active_changed()
        change = _Change(
            version, before, target(version, VersionStep.ROLL_BACK), reason, rolled_back=True
        )
        return _activate(change, user=user, request=request)


@dataclass(frozen=True, slots=True)
class _Change:
    """Which version reads instead of which, why, and what was known."""

    version: DetectorVersion
    before: DetectorVersion | None
    end: VersionState
    reason: str
    found: Gate = field(default_factory=Gate)
    rolled_back: bool = False


def _checked(reason: str, version: DetectorVersion) -> str:
    """The reason as it is kept; raises where it is too long or the version's file isn't whole."""
    reason = reason.strip()
    if len(reason) > REASON_LENGTH:
        raise InvalidInputError(
            "reason_too_long", f"The reason may have {REASON_LENGTH} characters at most."
        )
    problem = weights_problem(version)  # before any transaction: hashing takes a while
    if problem is not None:
        raise problem
    return reason


def _activate(
    change: _Change, *, user: User | None, request: HttpRequest | None
) -> DetectorVersion:
    """Swap the two; the caller holds the rows."""
    version, before = change.version, change.before
    if before is not None:
        before.state = target(before, VersionStep.REPLACE)
        before.save(update_fields=["state"])
    chosen = chosen_on_val(version)
    if chosen is not None:
        version.thresholds = chosen.thresholds
        version.temperature, version.offset = chosen.scaling.temperature, chosen.scaling.offset
    version.state = change.end
    version.save(update_fields=["state", "thresholds", "temperature", "offset"])
    drop_waiting(version, Purpose.SHADOW)
    entry = audit.record(
        actor=user,
        verb="rolled_back" if change.rolled_back else "promoted",
        obj=version,
        request=request,
        detail={
            "version": version.name,
            "instead_of": before.name if before else "",
            "reason": change.reason,
            "worse": list(change.found.worse),
        },
    )
    Promotion.objects.create(
        version=version,
        instead_of=before,
        by=user,
        by_name=entry.actor_name,
        at=timezone.now(),
        reason=change.reason,
        rolled_back=change.rolled_back,
        thresholds=version.thresholds,
        temperature=version.temperature,
        offset=version.offset,
        chosen_on=VAL if chosen else "",
        comparison=change.found.comparison,
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


def _active_changed() -> ConflictError:
    return ConflictError(
        "active_changed",
        "Another version became active meanwhile. Look at the comparison with it, then decide.",
    )


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
