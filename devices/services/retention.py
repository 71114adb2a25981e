"""How long readings are kept: settling it, and ordering that it is applied."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.services import audit, policies
from devices.models import RetentionPolicy, RetentionRun
from devices.models.retention import LONGEST, SHORTEST
from devices.retention import cuts
from devices.selectors.retention import policy_now
from devices.tasks import apply_retention_task
from twinhealth.errors import ConflictError, InvalidInputError

MAX_REASON = 300


def settle(
    *,
    user: User,
    raw_months: int | None,
    five_minute_months: int | None,
    hour_months: int | None,
    day_months: int | None,
    reason: str,
    now: datetime,
    seen: int | None = None,
    request: HttpRequest | None = None,
) -> RetentionPolicy:
    """Add a policy. Nothing is deleted by it until somebody applies it.

    Args:
        user: the admin.
        raw_months: full months before the current one of which every reading is kept, 2 to 600;
            `None` for ever.
        five_minute_months: of which the five minutes are kept; not fewer.
        hour_months: of which the hours are kept; not fewer.
        day_months: of which the days are kept; not fewer.
        reason: why.
        now: when.
        seen: number of the policy that the admin looked at; `None` if that doesn't matter.
        request: for the audit.

    Raises:
        InvalidInputError: `bad_months`, `coarse_before_fine`, `reason_missing`,
            `reason_too_long`, or `nothing_changes`.
        ConflictError: `policy_changed`, if another admin was faster.
    """
    said = " ".join(reason.split())
    lengths = {
        "raw_months": raw_months,
        "five_minute_months": five_minute_months,
        "hour_months": hour_months,
        "day_months": day_months,
    }
    check_months(*lengths.values())
    _check_reason(said)
    before = policy_now()
    if lengths == before.lengths:
        raise InvalidInputError("nothing_changes", "This is what holds already.")
    policies.check_seen(before, seen)
    names = ("raw", "five_minutes", "hours", "days")
    return policies.add(
        RetentionPolicy, before, lengths,
        user=user, reason=said, now=now, verb="settled_retention", request=request,
        detail=dict(zip(names, lengths.values(), strict=True)),
    )  # fmt: skip


def check_months(*given: int | None) -> None:
    """Whether a policy may say so.

    Args:
        given: full months of readings, five minutes, hours and days, in this order.

    Raises:
        InvalidInputError: `bad_months`, `coarse_before_fine`.
    """
    if any(months is not None and not SHORTEST <= months <= LONGEST for months in given):
        raise InvalidInputError("bad_months", f"Keep {SHORTEST} to {LONGEST} months, or for ever.")
    lengths = [LONGEST + 1 if months is None else months for months in given]
    if lengths != sorted(lengths):
        raise InvalidInputError(
            "coarse_before_fine", "Longer steps are kept at least as long as shorter ones."
        )


def _check_reason(reason: str) -> None:
    if not reason:
        raise InvalidInputError("reason_missing", "Say why in a few words.")
    if len(reason) > MAX_REASON:
        raise InvalidInputError(
            "reason_too_long", f"A reason has at most {MAX_REASON} characters.", limit=MAX_REASON
        )


@transaction.atomic
def begin(
    *,
    user: User | None,
    now: datetime,
    seen: int | None = None,
    request: HttpRequest | None = None,
) -> RetentionRun:
    """Order that the policy is applied; a worker deletes.

    From the commit on the doors refuse readings that are older than what is deleted.

    Args:
        user: the admin; `None` for a command.
        now: when.
        seen: number of the policy whose dry run was looked at; `None` if that doesn't matter.
        request: for the audit.

    Raises:
        InvalidInputError: `nothing_to_delete`, where the policy keeps all.
        ConflictError: `policy_changed`; `already_running`.
    """
    policy = policy_now()
    if seen is not None and seen != policy.number:
        raise ConflictError(
            "policy_changed",
            "Another admin has changed the policy since you looked. Look at its dry run first.",
            number=policy.number,
        )
    cut = cuts(now=now, **policy.lengths)
    if cut.nothing:
        raise InvalidInputError("nothing_to_delete", "The policy keeps everything.")
    running = ConflictError("already_running", "A deletion is under way already.")
    if RetentionRun.objects.filter(finished_at=None).exists():
        raise running
    try:
        with transaction.atomic():
            run = RetentionRun.objects.create(
                policy=policy,
                raw_before=cut.raw,
                five_minute_before=cut.five_minute,
                hour_before=cut.hour,
                day_before=cut.day,
                requested_by=user,
                requested_at=now,
            )
    except IntegrityError as error:
        raise running from error
    audit.record(
        actor=user,
        verb="ordered_deletion",
        obj=run,
        request=request,
        detail={
            "policy": policy.number,
            "raw_before": cut.raw and cut.raw.date().isoformat(),
            "five_minutes_before": cut.five_minute and cut.five_minute.date().isoformat(),
            "hours_before": cut.hour and cut.hour.date().isoformat(),
            "days_before": cut.day and cut.day.isoformat(),
        },
    )
    apply_retention_task.delay_on_commit(run.pk)  # type: ignore[attr-defined]
    return run
