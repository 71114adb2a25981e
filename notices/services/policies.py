"""Settling after how many days an overdue order escalates, and how long on hold is too long."""

from __future__ import annotations

from datetime import datetime

from accounts.models import User
from accounts.services import policies
from devices.plain_text import clean
from devices.services.order_changes import AnyRequest
from notices.models import LONGEST_DAYS, NoticePolicy
from notices.spans import policy_now
from twinhealth.errors import InvalidInputError


def settle(
    *,
    user: User,
    escalate_days: int,
    hold_days: int,
    reason: str,
    now: datetime,
    seen: int | None = None,
    request: AnyRequest = None,
) -> NoticePolicy:
    """Add a policy; it holds from the next look on.

    Args:
        user: the admin.
        escalate_days: after the last day in time, 1 to 90.
        hold_days: on hold, 1 to 90.
        reason: why.
        now: when.
        seen: number of the policy that the admin looked at; `None` if that doesn't matter.
        request: for the audit row.

    Raises:
        InvalidInputError: `bad_days`, `reason_missing`, `reason_too_long`, `nothing_changes`.
        ConflictError: `policy_changed` if another admin was faster.
    """
    reason = clean(reason, field="reason", limit=300)
    if not all(1 <= days <= LONGEST_DAYS for days in (escalate_days, hold_days)):
        raise InvalidInputError("bad_days", f"1 to {LONGEST_DAYS} days.", limit=LONGEST_DAYS)
    before = policy_now()
    policies.check_seen(before, seen)
    if (escalate_days, hold_days) == (before.escalate_days, before.hold_days):
        raise InvalidInputError("nothing_changes", "This is what holds already.")
    settled = {"escalate_days": escalate_days, "hold_days": hold_days}
    return policies.add(
        NoticePolicy, before, settled,
        user=user, reason=reason, now=now, verb="settled_notice_policy", detail=settled,
        request=request,
    )  # fmt: skip
