from __future__ import annotations

import itertools

import pytest

from detection.models import DetectionRun, RunState
from detection.services.states import TABLE, Step, take, target
from tests.detection.factories import make_image, make_run, make_version
from twinhealth.errors import ConflictError

ALLOWED = {
    (RunState.QUEUED, Step.CLAIM): RunState.RUNNING,
    (RunState.RUNNING, Step.CLAIM): RunState.RUNNING,
    (RunState.RUNNING, Step.FINISH): RunState.DONE,
    (RunState.RUNNING, Step.REFUSE): RunState.REFUSED,
    (RunState.RUNNING, Step.PUT_BACK): RunState.QUEUED,
    (RunState.RUNNING, Step.FAIL): RunState.FAILED,
    (RunState.FAILED, Step.RETRY): RunState.QUEUED,
    (RunState.REFUSED, Step.READ_ANYWAY): RunState.QUEUED,
}
PAIRS = list(itertools.product(RunState, Step))


@pytest.mark.parametrize(("state", "step"), PAIRS)
def test_every_pair_is_allowed_or_raises(state: RunState, step: Step) -> None:
    if (state, step) in ALLOWED:
        assert target(state, step) == ALLOWED[state, step]
    else:
        with pytest.raises(ConflictError) as caught:
            target(state, step)
        assert caught.value.code == "bad_transition"


def test_every_step_is_in_the_table() -> None:
    assert set(TABLE) == set(Step)


@pytest.mark.django_db
def test_taking_a_step_that_the_state_does_not_have_changes_nothing() -> None:
    run = make_run(make_image(), make_version(), RunState.DONE)
    assert take(DetectionRun.objects.filter(pk=run.pk), Step.FAIL, reason="x") == 0
    run.refresh_from_db()
    assert (run.state, run.reason) == (RunState.DONE, "")


@pytest.mark.django_db
def test_leaving_running_gives_the_lease_up() -> None:
    run = make_run(make_image(), make_version(), RunState.RUNNING)
    assert take(DetectionRun.objects.filter(pk=run.pk), Step.PUT_BACK) == 1
    run.refresh_from_db()
    assert (run.state, run.lease_token, run.lease_until) == (RunState.QUEUED, "", None)
