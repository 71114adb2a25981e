"""Between which days an order may lie: the manufacturer's interval and grace. Pure.

A hospital may not stretch the maintenance of imaging devices beyond what the manufacturer
recommends (CMS, Survey and Certification letter 14-07, 2013: no alternate schedule for imaging and
radiological equipment). The interval is the one that `devices` holds plans of a model to; where it
isn't known, no longer than the plan's own.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

CODE = "beyond_manufacturer"
RULE = "not permitted (CMS S&C 14-07)"


@dataclass(frozen=True, slots=True)
class Limits:
    """First and last permitted day; `None`: nothing forbids any."""

    earliest: date | None = None
    latest: date | None = None
    why: str = ""  # where the last day comes from


def limits(
    *,
    due_on: date | None,
    grace_days: int,
    last_done: date | None,
    longest_months: int | None,
    next_due: date | None = None,
) -> Limits:
    """Of an order of a plan.

    Args:
        due_on: the order's.
        grace_days: how much later it may be.
        last_done: when the plan's work was last done.
        longest_months: the manufacturer's interval.
        next_due: the plan's next due date after this one, where it is fixed by the calendar: what
            is done too early makes the time until then too long.
    """
    if due_on is None:
        return Limits()
    grace = timedelta(days=grace_days)
    if longest_months is not None and last_done is not None:
        latest = last_done + relativedelta(months=longest_months) + grace
        why = f"{longest_months} months of the manufacturer after {last_done}, grace {grace_days} d"
    else:
        latest = due_on + grace
        why = f"the plan's own interval, due {due_on}, grace {grace_days} d"
    earliest = None
    if next_due is not None:
        step = relativedelta(months=longest_months) if longest_months else next_due - due_on
        earliest = min(next_due - step - grace, due_on)
    return Limits(earliest, latest, why)


def refusal(found: Limits, *, day: date, now: date | None) -> str:
    """Why an order may not be put on a day; empty where it may.

    Args:
        found: its limits.
        day: where it is to go.
        now: where it stands. One that is too late already may come nearer.
    """
    if found.latest is not None and day > found.latest and (now is None or day > now):
        return f"{RULE}: {day} lies after {found.latest} ({found.why})"
    if found.earliest is not None and day < found.earliest and (now is None or day < now):
        return (
            f"{RULE}: done before {found.earliest}, the time until the plan's next due date would "
            "be longer than the interval and its grace"
        )
    return ""


def refusal_to_drop(found: Limits, *, next_due: date | None) -> str:
    """Why an order may not be left out; empty where the next one comes early enough."""
    if found.latest is None or (next_due is not None and next_due <= found.latest):
        return ""
    return f"{RULE}: without it nothing is done by {found.latest} ({found.why})"
