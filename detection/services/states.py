"""The life of a run, as a table. A step that the table doesn't have raises."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.db.models import QuerySet

from detection.models import DetectionRun, RunState
from twinhealth.errors import ConflictError


class Step(StrEnum):
    """What can happen to a run."""

    CLAIM = "claim"  # a worker takes it, or takes it over from one whose lease ran out
    FINISH = "finish"
    REFUSE = "refuse"  # the film can't be read; a person can act on the reason
    PUT_BACK = "put_back"  # failed or lost on our side; another attempt follows
    FAIL = "fail"  # no attempt is left
    RETRY = "retry"  # a person asks for more attempts
    READ_ANYWAY = "read_anyway"  # a person overrules the image gate


TABLE: dict[Step, tuple[frozenset[RunState], RunState]] = {
    Step.CLAIM: (frozenset({RunState.QUEUED, RunState.RUNNING}), RunState.RUNNING),
    Step.FINISH: (frozenset({RunState.RUNNING}), RunState.DONE),
    Step.REFUSE: (frozenset({RunState.RUNNING}), RunState.REFUSED),
    Step.PUT_BACK: (frozenset({RunState.RUNNING}), RunState.QUEUED),
    Step.FAIL: (frozenset({RunState.RUNNING}), RunState.FAILED),
    Step.RETRY: (frozenset({RunState.FAILED}), RunState.QUEUED),
    Step.READ_ANYWAY: (frozenset({RunState.REFUSED}), RunState.QUEUED),
}


def target(state: str, step: Step) -> RunState:
    """Where a step leads from a state.

    Raises:
        ConflictError: `bad_transition`, if the table doesn't have the step.
    """
    sources, end = TABLE[step]
    if state not in sources:
        raise ConflictError(
            "bad_transition", f"A run that is {state} can't {step}.", state=state, step=str(step)
        )
    return end


def take(runs: QuerySet[DetectionRun], step: Step, **changes: Any) -> int:
    """Compare-and-swap: take the step for those of `runs` whose state allows it, in one UPDATE.

    A run that leaves `running` gives its lease up with the same statement.

    Returns:
        How many runs took it: 0 means that somebody else was first.
    """
    sources, end = TABLE[step]
    if end != RunState.RUNNING:
        changes |= {"lease_token": "", "lease_until": None}
    return runs.filter(state__in=sources).update(state=end, **changes)
