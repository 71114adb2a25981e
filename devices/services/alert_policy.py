"""Settling after how many minutes an alert escalates, and within how many it joins an incident."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from accounts.services import policies
from devices.models import AlertPolicy
from devices.models.alert_policy import LONGEST_ESCALATE, LONGEST_GROUP
from devices.plain_text import clean
from devices.selectors.alert_policy import policy_now
from twinhealth.errors import InvalidInputError

from . import AnyRequest


def settle(
    *,
    user: User,
    escalate_minutes: int,
    group_minutes: int,
    reason: str,
    now: datetime,
    seen: int | None = None,
    request: AnyRequest | None = None,
) -> AlertPolicy:
    """Add a policy; it holds from the next look at alerts on, for those that are open too.

    Args:
        user: the admin.
        escalate_minutes: until an `act` alert that nobody acknowledged is told again, 1 to 1,440.
        group_minutes: within which alerts on one supply are one incident, 1 to 240.
        reason: why.
        now: when.
        seen: number of the policy that the admin looked at; `None` if that doesn't matter.
        request: for the audit row.

    Raises:
        InvalidInputError: `bad_minutes`, `reason_missing`, `reason_too_long`, `nothing_changes`.
        ConflictError: `policy_changed` if another admin was faster.
    """
    reason = clean(reason, field="reason", limit=300)
    if not (1 <= escalate_minutes <= LONGEST_ESCALATE and 1 <= group_minutes <= LONGEST_GROUP):
        raise InvalidInputError(
            "bad_minutes",
            f"Escalation after 1 to {LONGEST_ESCALATE:,} minutes, one incident within 1 to "
            f"{LONGEST_GROUP}.",
        )
    before = policy_now()
    policies.check_seen(before, seen)
    if (escalate_minutes, group_minutes) == (before.escalate_minutes, before.group_minutes):
        raise InvalidInputError("nothing_changes", "This is what holds already.")
    settled = {"escalate_minutes": escalate_minutes, "group_minutes": group_minutes}
    return policies.add(
        AlertPolicy, before, settled,
        user=user, reason=reason, now=now, verb="settled_alert_policy", detail=settled,
        request=request,
    )  # fmt: skip
