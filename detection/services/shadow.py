"""Steps of a version that don't change which one reads: reading along, ending that, retiring.

Which one reads is `detection.services.versions`' business.
"""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.services import audit
from detection.models import DetectorVersion, Purpose, VersionState
from twinhealth.errors import ConflictError

from .readings import drop_waiting
from .version_states import VersionStep, target
from .versions import lock_versions, weights_problem
from .which import shadow_version, version_by_id


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
