"""The life of a detector version, as a table. A step that the table doesn't have raises."""

from __future__ import annotations

from enum import StrEnum

from detection.models import DetectorVersion, VersionState
from twinhealth.errors import ConflictError


class VersionStep(StrEnum):
    """What can happen to a version."""

    READ_ALONG = "read along"  # as a shadow, apart from the clinicians' pages
    STOP_READING_ALONG = "stop reading along"
    PROMOTE = "be promoted"
    ROLL_BACK = "be rolled back to"
    REPLACE = "be replaced"  # another one was promoted
    RETIRE = "be retired"


_CANDIDATE, _SHADOW = VersionState.CANDIDATE, VersionState.SHADOW
_ACTIVE, _RETIRED = VersionState.ACTIVE, VersionState.RETIRED

TABLE: dict[VersionStep, tuple[frozenset[VersionState], VersionState]] = {
    VersionStep.READ_ALONG: (frozenset({_CANDIDATE}), _SHADOW),
    VersionStep.STOP_READING_ALONG: (frozenset({_SHADOW}), _CANDIDATE),
    VersionStep.PROMOTE: (frozenset({_CANDIDATE, _SHADOW, _RETIRED}), _ACTIVE),
    VersionStep.ROLL_BACK: (frozenset({_RETIRED}), _ACTIVE),
    VersionStep.REPLACE: (frozenset({_ACTIVE}), _RETIRED),
    VersionStep.RETIRE: (frozenset({_CANDIDATE, _SHADOW}), _RETIRED),
}


def target(version: DetectorVersion, step: VersionStep) -> VersionState:
    """Where a step leads.

    Raises:
        ConflictError: `bad_transition`, if the table doesn't have the step.
    """
    sources, end = TABLE[step]
    if version.state not in sources:
        word = VersionState(version.state).label
        raise ConflictError(
            "bad_transition",
            f"Version {version.name} can't {step}: its state is '{word}'.",
            state=version.state,
            step=step.name.lower(),
        )
    return end


def allowed(state: str) -> frozenset[VersionStep]:
    """The steps that a version in this state may take, for a page's buttons."""
    return frozenset(step for step, (sources, _) in TABLE.items() if state in sources)
