"""Which version reads: promoting one, rolling back, and what must be known or said for it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.models import (
    VAL,
    DetectorVersion,
    Promotion,
    PromotionKind,
    Purpose,
    VersionState,
)
from twinhealth.errors import ConflictError, DomainError, InvalidInputError

from .comparison import chosen_on_val, compared
from .version_states import VersionStep, target
from .versions import drop_waiting, lock_versions, weights_problem
from .which import active_version, version_by_id

SHORTEST_REASON: Final = 20  # characters: a sentence, not a full stop
LONGEST_REASON: Final = 1000


@dataclass(frozen=True, slots=True)
class Gate:
    """What the evidence says about letting a version read instead of another.

    Attributes:
        comparison: per headline figure of val, as `evaluation.headline.compare`; empty without.
        worse: the figures in which it is worse.
        why: the sentence that says why a reason is needed; empty where none is.
    """

    comparison: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    worse: tuple[str, ...] = ()
    why: str = ""


def gate(version: DetectorVersion, active: DetectorVersion | None) -> Gate:
    """Whether a version may replace the active one without a written reason.

    It may where it is worse in no headline figure of val, by a paired bootstrap over patients.
    Test figures take no part.
    """
    if chosen_on_val(version) is None:
        return Gate(why=f"{version.name} has no evidence on val: how good it is, is unknown.")
    if active is None:
        return Gate()
    try:
        found = compared(version, active, VAL)
    except DomainError as error:
        return Gate(why=f"{error.message} Whether it is worse, is unknown.")
    if found is None:
        return Gate(why=f"{active.name} has no evidence on val to compare with.")
    worse = tuple(name for name, row in found.items() if row["worse"])
    why = f"On val it is worse than {active.name} in: {', '.join(worse)}." if worse else ""
    return Gate(found, worse, why)


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
    Thresholds and temperature are chosen again from its own evidence on val, where there is any.

    Args:
        version_id: the version.
        user: who; `None` for the system (a first start, a release), which needs no evidence.
        reason: why, in a sentence; needed where the evidence doesn't speak for it.
        instead_of: the version that the person believes to be active; not looked at if `None`.
        request: for the audit.

    Raises:
        NotFoundError: `no_such_version`.
        ConflictError: `bad_transition`; `weights_missing` or `weights_changed`, if its file isn't
            what it was; `reason_needed`; `active_changed`, if another one was promoted meanwhile.
        InvalidInputError: `reason_too_long`.
    """
    reason = _cleaned(reason)
    version = version_by_id(version_id)
    target(version, VersionStep.PROMOTE)
    before = active_version()
    if instead_of is not None and (before.pk if before else None) != instead_of:
        raise _active_changed()
    problem = weights_problem(version)  # before the transaction: hashing takes a while
    if problem is not None:
        raise problem
    found = gate(version, before) if user is not None else Gate()
    if found.why and len(reason) < SHORTEST_REASON:
        raise ConflictError(
            "reason_needed",
            f"{found.why} Promote it with a reason of at least {SHORTEST_REASON} characters.",
            worse=list(found.worse),
            shortest=SHORTEST_REASON,
        )
    with transaction.atomic():
        version = lock_versions(version_id)
        end = target(version, VersionStep.PROMOTE)
        if active_version() != before:
            raise _active_changed()
        kind = PromotionKind.PROMOTED if user is not None else PromotionKind.INSTALLED
        change = _Change(version, before, kind, reason, found)
        return _activate(change, end, user=user, request=request)


def roll_back(
    *, version_id: int, user: User, reason: str = "", request: HttpRequest | None = None
) -> DetectorVersion:
    """Put the version back that read before this one; no evidence is asked for.

    Args:
        version_id: the active version, which is left.
        user: who.
        reason: why, if there is anything to say.
        request: for the audit.

    Returns:
        The version that reads from now on.

    Raises:
        NotFoundError: `no_such_version`.
        ConflictError: `bad_transition`, if it isn't active (any more); `nothing_before`;
            `weights_missing` or `weights_changed` of the one before.
        InvalidInputError: `reason_too_long`.
    """
    reason = _cleaned(reason)
    before = previous(version_by_id(version_id))
    problem = weights_problem(before)
    if problem is not None:
        raise problem
    with transaction.atomic():
        leaving = lock_versions(version_id)
        before = previous(leaving)
        end = target(before, VersionStep.ROLL_BACK)
        change = _Change(before, leaving, PromotionKind.ROLLED_BACK, reason, Gate())
        return _activate(change, end, user=user, request=request)


def previous(version: DetectorVersion) -> DetectorVersion:
    """The version that read before the active one.

    Raises:
        ConflictError: `bad_transition`, if the version isn't active; `nothing_before`.
    """
    target(version, VersionStep.REPLACE)
    last = Promotion.objects.filter(version=version).select_related("instead_of").first()
    if last is None or last.instead_of is None:
        raise ConflictError(
            "nothing_before", f"No version read before {version.name}: there is no way back."
        )
    return last.instead_of


@dataclass(frozen=True, slots=True)
class _Change:
    """Which version reads instead of which, why, and what was known."""

    version: DetectorVersion
    before: DetectorVersion | None
    kind: PromotionKind
    reason: str
    found: Gate


def _activate(
    change: _Change, end: VersionState, *, user: User | None, request: HttpRequest | None
) -> DetectorVersion:
    """Swap the two; the caller holds the rows."""
    version, before = change.version, change.before
    if before is not None:
        before.state = target(before, VersionStep.REPLACE)
        before.save(update_fields=["state"])
    chosen = chosen_on_val(version)
    if chosen is not None:
        version.thresholds, version.temperature = chosen.thresholds, chosen.temperature
    version.state = end
    version.save(update_fields=["state", "thresholds", "temperature"])
    drop_waiting(version, Purpose.SHADOW)
    Promotion.objects.create(
        version=version,
        instead_of=before,
        kind=change.kind,
        by=user,
        by_name=user.username if user else "system",
        at=timezone.now(),
        reason=change.reason,
        thresholds=version.thresholds,
        temperature=version.temperature,
        chosen_on=VAL if chosen else "",
        comparison=change.found.comparison,
    )
    audit.record(
        actor=user,
        verb="rolled_back" if change.kind == PromotionKind.ROLLED_BACK else "promoted",
        obj=version,
        request=request,
        detail={
            "version": version.name,
            "instead_of": before.name if before else "",
            "reason": change.reason,
            "worse": list(change.found.worse),
        },
    )
    return version


def _cleaned(reason: str) -> str:
    reason = " ".join(reason.split())
    if len(reason) > LONGEST_REASON:
        raise InvalidInputError(
            "reason_too_long", f"A reason has at most {LONGEST_REASON} characters."
        )
    return reason


def _active_changed() -> ConflictError:
    return ConflictError(
        "active_changed",
        "Another version became active meanwhile. Look at the comparison with it, then decide.",
    )
