"""The steps of a work order's life, as one table: anything else is refused. Pure."""

from __future__ import annotations

from .models.maintenance import OrderState as S

# (from, step) -> to
TRANSITIONS: dict[tuple[str, str], S] = {
    (S.REQUESTED, "plan"): S.PLANNED,
    (S.PLANNED, "schedule"): S.SCHEDULED,
    (S.SCHEDULED, "schedule"): S.SCHEDULED,
    (S.PLANNED, "start"): S.IN_PROGRESS,
    (S.SCHEDULED, "start"): S.IN_PROGRESS,
    (S.IN_PROGRESS, "hold"): S.ON_HOLD,
    (S.ON_HOLD, "resume"): S.IN_PROGRESS,
    (S.IN_PROGRESS, "complete"): S.DONE,
    (S.DONE, "verify"): S.VERIFIED,
    (S.DONE, "reopen"): S.IN_PROGRESS,
    (S.REQUESTED, "cancel"): S.CANCELLED,
    (S.PLANNED, "cancel"): S.CANCELLED,
    (S.SCHEDULED, "cancel"): S.CANCELLED,
    (S.IN_PROGRESS, "cancel"): S.CANCELLED,
    (S.ON_HOLD, "cancel"): S.CANCELLED,
}
PAST_TENSE = {
    "plan": "planned",
    "schedule": "scheduled",
    "start": "started",
    "hold": "held",
    "resume": "resumed",
    "complete": "completed",
    "verify": "verified",
    "cancel": "cancelled",
    "reopen": "reopened",
}
# of the system alone: the work didn't do what it was for (`services.closed_loop`)
OWN_STEPS = frozenset({"reopen"})
STEPS = tuple(name for name in PAST_TENSE if name not in OWN_STEPS)
OPEN = (S.REQUESTED, S.PLANNED, S.SCHEDULED, S.IN_PROGRESS, S.ON_HOLD)
FINISHED = (S.DONE, S.VERIFIED)


def possible(state: str) -> tuple[str, ...]:
    """Steps that the table has from a state, in their usual order."""
    return tuple(step for step in STEPS if (state, step) in TRANSITIONS)
