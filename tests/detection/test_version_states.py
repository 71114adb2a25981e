from __future__ import annotations

import itertools

import pytest
from django.db import IntegrityError, transaction

from accounts.models import AuditEntry, User
from detection.models import DetectorVersion, VersionReading, VersionState
from detection.services import readings, shadow
from detection.services.version_states import TABLE, VersionStep, allowed, target
from tests.detection.factories import make_image, make_version
from twinhealth.errors import ConflictError, NotFoundError

CANDIDATE, SHADOW = VersionState.CANDIDATE, VersionState.SHADOW
ACTIVE, RETIRED = VersionState.ACTIVE, VersionState.RETIRED
ALLOWED = {
    (CANDIDATE, VersionStep.READ_ALONG): SHADOW,
    (SHADOW, VersionStep.STOP_READING_ALONG): CANDIDATE,
    (CANDIDATE, VersionStep.PROMOTE): ACTIVE,
    (SHADOW, VersionStep.PROMOTE): ACTIVE,
    (RETIRED, VersionStep.PROMOTE): ACTIVE,
    (RETIRED, VersionStep.ROLL_BACK): ACTIVE,
    (ACTIVE, VersionStep.REPLACE): RETIRED,
    (CANDIDATE, VersionStep.RETIRE): RETIRED,
    (SHADOW, VersionStep.RETIRE): RETIRED,
}


@pytest.mark.parametrize(("state", "step"), list(itertools.product(VersionState, VersionStep)))
def test_every_pair_is_allowed_or_raises(state: VersionState, step: VersionStep) -> None:
    version = DetectorVersion(name="v", state=state)
    if (state, step) in ALLOWED:
        assert target(version, step) == ALLOWED[state, step]
        assert step in allowed(state)
    else:
        with pytest.raises(ConflictError) as caught:
            target(version, step)
        assert caught.value.code == "bad_transition"
        assert step not in allowed(state)


def test_every_step_is_in_the_table() -> None:
    assert set(TABLE) == set(VersionStep)


@pytest.fixture
def _whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shadow, "weights_problem", lambda version: None)


@pytest.mark.django_db
@pytest.mark.parametrize("state", [ACTIVE, SHADOW])
def test_the_database_holds_one_active_and_one_shadow(state: VersionState) -> None:
    make_version(state)
    with pytest.raises(IntegrityError), transaction.atomic():
        make_version(state)


@pytest.mark.django_db
@pytest.mark.usefixtures("_whole")
def test_reading_along_begins_and_ends(version: DetectorVersion, admin: User) -> None:
    candidate, rival = make_version(CANDIDATE), make_version(CANDIDATE)
    assert shadow.start_shadow(version_id=candidate.pk, user=admin).state == SHADOW
    with pytest.raises(ConflictError) as caught:
        shadow.start_shadow(version_id=rival.pk, user=admin)
    assert caught.value.code == "another_shadow"
    assert candidate.name in caught.value.message
    readings.read_along(make_image())
    assert VersionReading.objects.count() == 1
    assert shadow.stop_shadow(version_id=candidate.pk, user=admin).state == CANDIDATE
    assert not VersionReading.objects.exists()  # what waited is nobody's wish any more
    readings.read_along(make_image())
    assert not VersionReading.objects.exists()
    assert shadow.retire(version_id=candidate.pk, user=admin).state == RETIRED
    verbs = AuditEntry.objects.order_by("id").values_list("verb", "actor")
    assert list(verbs) == [
        ("read_along", admin.pk),
        ("stopped_reading_along", admin.pk),
        ("retired", admin.pk),
    ]


@pytest.mark.django_db
@pytest.mark.usefixtures("_whole")
def test_the_active_version_can_only_be_replaced(version: DetectorVersion, admin: User) -> None:
    for act in (shadow.retire, shadow.start_shadow, shadow.stop_shadow):
        with pytest.raises(ConflictError) as caught:
            act(version_id=version.pk, user=admin)
        assert caught.value.code == "bad_transition"
    assert not AuditEntry.objects.exists()
    with pytest.raises(NotFoundError):
        shadow.retire(version_id=10**9, user=admin)


@pytest.mark.django_db
def test_weights_that_are_gone_do_not_read_along(version: DetectorVersion, admin: User) -> None:
    candidate = make_version(CANDIDATE)
    with pytest.raises(ConflictError) as caught:
        shadow.start_shadow(version_id=candidate.pk, user=admin)
    assert caught.value.code == "weights_missing"
