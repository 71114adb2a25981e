from __future__ import annotations

from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.db.models import ProtectedError

from accounts.models import AuditEntry, User
from detection.evaluation.thresholds import suggested
from detection.models import DetectorVersion, Promotion, VersionState
from detection.services import versions
from detection.services.evidence import import_evidence
from detection.services.versions import active_version
from tests.detection.evidence_rows import give_evidence, rows
from tests.detection.factories import THRESHOLDS, make_image, make_run, make_version
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db
REASON = "It reads the films of our new machine far better."


@pytest.fixture(autouse=True)
def _whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "weights_problem", lambda version: None)


@pytest.fixture
def candidate(version: DetectorVersion) -> DetectorVersion:
    return make_version(VersionState.CANDIDATE)


def refused(code: str, **given: Any) -> ConflictError:
    with pytest.raises(ConflictError) as caught:
        versions.promote(**given)
    assert caught.value.code == code, caught.value.message
    return caught.value


def test_one_that_is_not_worse_needs_no_reason(
    version: DetectorVersion, candidate: DetectorVersion, admin: User
) -> None:
    give_evidence(version, 0.4)
    give_evidence(candidate, 0.8)
    versions.promote(version_id=candidate.pk, user=admin)
    assert active_version() == candidate
    version.refresh_from_db()
    assert version.state == VersionState.RETIRED
    row = Promotion.objects.get()
    assert (row.version, row.instead_of, row.by, row.rolled_back) == (
        candidate,
        version,
        admin,
        False,
    )
    assert row.comparison["auc_covid"]["difference"] > 0
    entry = AuditEntry.objects.get(verb="promoted")
    assert entry.actor == admin
    assert entry.detail == {
        "version": candidate.name,
        "instead_of": version.name,
        "reason": "",
        "worse": [],
    }


def test_one_that_is_worse_needs_a_reason_which_is_kept(
    version: DetectorVersion, candidate: DetectorVersion, admin: User
) -> None:
    give_evidence(version, 0.9)
    give_evidence(candidate, 0.1)
    error = refused("reason_needed", version_id=candidate.pk, user=admin)
    assert "auc_covid" in error.extra["worse"]
    refused("reason_needed", version_id=candidate.pk, user=admin, reason="  because  ")
    assert active_version() == version
    assert not Promotion.objects.exists()
    versions.promote(version_id=candidate.pk, user=admin, reason=f" {REASON}\n")
    assert active_version() == candidate
    assert Promotion.objects.get().reason == REASON
    detail = AuditEntry.objects.get(verb="promoted").detail
    assert detail["reason"] == REASON
    assert "auc_covid" in detail["worse"]


def test_test_figures_never_gate(
    version: DetectorVersion, candidate: DetectorVersion, admin: User
) -> None:
    give_evidence(version, 0.4)
    give_evidence(candidate, 0.8)
    give_evidence(version, 0.95, "test")
    give_evidence(candidate, 0.05, "test")
    versions.promote(version_id=candidate.pk, user=admin)
    assert active_version() == candidate


@pytest.mark.parametrize("known", ["candidate", "active", "none"])
def test_without_evidence_on_both_sides_a_reason_is_needed(
    version: DetectorVersion, candidate: DetectorVersion, admin: User, known: str
) -> None:
    if known == "candidate":
        give_evidence(candidate, 0.9)
    if known == "active":
        give_evidence(version, 0.9)
    give_evidence(candidate, 0.9, "test")  # says nothing here
    error = refused("reason_needed", version_id=candidate.pk, user=admin)
    assert "no evidence on val" in error.message
    versions.promote(version_id=candidate.pk, user=admin, reason=REASON)
    assert active_version() == candidate


def test_evidence_on_other_films_does_not_count_as_a_comparison(
    version: DetectorVersion, candidate: DetectorVersion, admin: User
) -> None:
    give_evidence(version, 0.4)
    import_evidence(version=candidate, rows=rows(0.9, prefix="elsewhere"), name="val")
    error = refused("reason_needed", version_id=candidate.pk, user=admin)
    assert "same films" in error.message


def test_thresholds_are_chosen_on_its_own_val_and_never_carried_over(
    version: DetectorVersion, candidate: DetectorVersion, admin: User
) -> None:
    give_evidence(version, 0.4)
    give_evidence(candidate, 0.8)
    version.refresh_from_db()
    assert version.thresholds == THRESHOLDS  # importing evidence changes nothing that reads
    versions.promote(version_id=candidate.pk, user=admin)
    candidate.refresh_from_db()
    expected = suggested(rows(0.8))
    assert candidate.thresholds == expected != THRESHOLDS
    assert candidate.temperature is not None
    row = Promotion.objects.get()
    assert (row.thresholds, row.temperature, row.chosen_on) == (
        expected,
        candidate.temperature,
        "val",
    )


def test_without_evidence_its_own_thresholds_stay(
    version: DetectorVersion, candidate: DetectorVersion, admin: User
) -> None:
    give_evidence(version, 0.9)
    own = {"covid": 0.11, "pneumonia": 0.22, "normal": 0.33}
    DetectorVersion.objects.filter(pk=candidate.pk).update(thresholds=own)
    versions.promote(version_id=candidate.pk, user=admin, reason=REASON)
    candidate.refresh_from_db()
    assert candidate.thresholds == own
    assert Promotion.objects.get().chosen_on == ""


def test_a_film_that_was_read_keeps_the_thresholds_it_was_read_with(
    version: DetectorVersion, candidate: DetectorVersion, admin: User
) -> None:
    run = make_run(make_image(), version, boxes=(("covid", 0.6),), thresholds={"covid": 0.5})
    DetectorVersion.objects.filter(pk=version.pk).update(thresholds={"covid": 0.7})
    run.refresh_from_db()
    assert run.counts_from == {"covid": 0.5}
    with pytest.raises(ProtectedError):
        version.delete()


def test_the_system_starts_without_ceremony(admin: User) -> None:
    first = make_version(VersionState.CANDIDATE)
    versions.promote(version_id=first.pk, user=None)
    row = Promotion.objects.get()
    assert (row.by, row.by_name, row.instead_of) == (None, "system", None)


def test_the_first_version_with_evidence_needs_no_reason_from_an_admin(admin: User) -> None:
    first, other = make_version(VersionState.CANDIDATE), make_version(VersionState.CANDIDATE)
    give_evidence(first, 0.6)
    refused("reason_needed", version_id=other.pk, user=admin)
    versions.promote(version_id=first.pk, user=admin)
    assert active_version() == first


def test_an_admin_who_looked_at_another_active_version_looks_again(
    version: DetectorVersion, candidate: DetectorVersion, admin: User
) -> None:
    refused(
        "active_changed",
        version_id=candidate.pk,
        user=admin,
        reason=REASON,
        instead_of=candidate.pk,
    )
    versions.promote(version_id=candidate.pk, user=admin, reason=REASON, instead_of=version.pk)


def test_a_reason_has_an_end(candidate: DetectorVersion, admin: User) -> None:
    with pytest.raises(InvalidInputError) as caught:
        versions.promote(version_id=candidate.pk, user=admin, reason="x" * 501)
    assert caught.value.code == "reason_too_long"


def test_rolling_back_chooses_thresholds_again_and_asks_for_no_evidence(
    version: DetectorVersion, candidate: DetectorVersion, admin: User
) -> None:
    versions.promote(version_id=candidate.pk, user=admin, reason=REASON)
    give_evidence(version, 0.4)
    give_evidence(candidate, 0.9)  # the one that is left is better on val
    assert versions.roll_back(user=admin) == version == active_version()
    newest = Promotion.objects.all()[0]
    assert (newest.rolled_back, newest.thresholds, newest.chosen_on) == (
        True,
        suggested(rows(0.4)),
        "val",
    )


def test_the_history_is_only_added_to(candidate: DetectorVersion, admin: User) -> None:
    versions.promote(version_id=candidate.pk, user=admin, reason=REASON)
    for act in (
        lambda: Promotion.objects.update(reason="another story"),
        lambda: Promotion.objects.all().delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            act()
    assert Promotion.objects.get().reason == REASON
