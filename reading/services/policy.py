"""Settling how this house reads: a row is added, the newest counts."""

from __future__ import annotations

from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import policies
from reading.models import ReadingPolicy, Twice
from reading.models.policy import LONGEST, SHORTEST
from reading.selectors_policy import policy_now
from twinhealth.errors import InvalidInputError

from .words import reason_of


def settle(
    *,
    user: User,
    ceiling_minutes: int,
    twice: str,
    twice_percent: int | None,
    reason: str,
    seen: int | None = None,
    request: HttpRequest | None = None,
) -> ReadingPolicy:
    """Add a policy, which holds from now on. No film's row changes: the order is made when asked.

    Args:
        user: the admin.
        ceiling_minutes: of the worklist, `SHORTEST` to `LONGEST`.
        twice: which films are read twice, a value of `Twice`.
        twice_percent: 1 to 100 for `share`, else `None`.
        reason: why.
        seen: number of the policy that the admin looked at; `None` if that doesn't matter.
        request: for the audit.

    Raises:
        InvalidInputError: `bad_ceiling`, `bad_twice`, `bad_percent`, `reason_missing`,
            `reason_too_long`, or `nothing_changes`.
        ConflictError: `policy_changed`, if another admin was faster.
    """
    said = reason_of(reason)
    _check(ceiling_minutes, twice, twice_percent)
    before = policy_now()
    settled = (ceiling_minutes, twice, twice_percent)
    if settled == (before.ceiling_minutes, before.twice, before.twice_percent):
        raise InvalidInputError("nothing_changes", "This is what holds already.")
    policies.check_seen(before, seen)
    return policies.add(
        ReadingPolicy, before,
        {"ceiling_minutes": ceiling_minutes, "twice": twice, "twice_percent": twice_percent},
        user=user, reason=said, now=timezone.now(), verb="settled_policy", request=request,
        detail={"ceiling": ceiling_minutes, "twice": twice, "percent": twice_percent},
    )  # fmt: skip


def _check(ceiling_minutes: int, twice: str, twice_percent: int | None) -> None:
    if not SHORTEST <= ceiling_minutes <= LONGEST:
        raise InvalidInputError("bad_ceiling", f"A ceiling lasts {SHORTEST} to {LONGEST} minutes.")
    if twice not in Twice.values:
        raise InvalidInputError(
            "bad_twice", f"Films read twice are one of {', '.join(Twice.values)}."
        )
    shared = twice == Twice.SHARE
    if shared != (twice_percent is not None) or (shared and not 1 <= (twice_percent or 0) <= 100):
        raise InvalidInputError(
            "bad_percent", "A share is 1 to 100 percent; nothing else has a percentage."
        )
