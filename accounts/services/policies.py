"""Policies of the house as numbered rows: the newest holds, and one is only ever added.

Every room that has one settles it here: who looked at another number is told so, and of two who
settle at once the database takes one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol, TypeVar

from django.db import IntegrityError, transaction
from django.db.models import Model

from accounts.models import User
from twinhealth.errors import ConflictError

from . import audit


class Numbered(Protocol):
    """What holds; its number is 0 while nobody settled any."""

    @property
    def number(self) -> int:
        """Counts up."""


_Policy = TypeVar("_Policy", bound=Model)


def _changed(before: Numbered) -> ConflictError:
    return ConflictError(
        "policy_changed",
        "Another admin has changed the policy since you looked. Look again, then change it.",
        number=before.number,
    )


def check_seen(before: Numbered, seen: int | None) -> None:
    """Whether the admin looked at what holds; `None`: that doesn't matter.

    Raises:
        ConflictError: `policy_changed`.
    """
    if seen is not None and seen != before.number:
        raise _changed(before)


@transaction.atomic
def add(
    model: type[_Policy],
    before: Numbered,
    settled: Mapping[str, Any],
    *,
    user: User,
    reason: str,
    now: datetime,
    verb: str,
    detail: Mapping[str, Any],
    request: Any = None,
) -> _Policy:
    """The policy after `before`, with its row in the audit.

    Args:
        model: of the policy; has `number`, `reason`, `by`, `by_name` and `at` besides `settled`.
        before: what held when it was looked at.
        settled: columns.
        user: the admin.
        reason: why, cleaned.
        now: when.
        verb: of the audit row.
        detail: of the audit row.
        request: for the audit row.

    Raises:
        ConflictError: `policy_changed` if another admin was faster.
    """
    policy = model(
        number=before.number + 1, reason=reason, by=user, by_name=str(user), at=now, **settled
    )
    try:
        with transaction.atomic():
            policy.save(force_insert=True)
    except IntegrityError as error:  # of two at once, the database takes one
        raise _changed(before) from error
    audit.record(actor=user, verb=verb, obj=policy, request=request, detail=dict(detail))
    return policy
