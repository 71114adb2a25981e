from __future__ import annotations

import math
from typing import Any

import pytest
from django.db import DatabaseError, transaction

from accounts.models import AuditEntry, User
from detection import selectors
from detection.models import DetectionRun, DetectorVersion, Finding, Review
from detection.services import claims, reviews, sign
from tests.detection.factories import make_image, make_run
from twinhealth.errors import ConflictError, DomainError, NotFoundError, NotPermittedError

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(version: DetectorVersion) -> DetectionRun:
    return make_run(make_image(), version, boxes=(("covid", 0.9), ("pneumonia", 0.6)))


@pytest.fixture
def finding(run: DetectionRun) -> Finding:
    return run.findings.all()[0]


def counting(run: DetectionRun, reader: User) -> list[str | None]:
    views = selectors.film(image_id=run.image_id, user=reader).findings
    return [v.review.verdict if v.review else None for v in views]


def test_the_newest_verdict_counts_and_undo_brings_back_the_one_before(
    run: DetectionRun, finding: Finding, reader: User
) -> None:
    reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    second = reviews.record(finding_id=finding.pk, user=reader, verdict="reject", reason="rib")
    assert counting(run, reader) == ["reject", None]
    reviews.withdraw(review_id=second.pk, user=reader)
    assert counting(run, reader) == ["accept", None]
    assert Review.objects.count() == 2
    patient = run.image.series.study.patient_id
    trail = AuditEntry.objects.filter(patient_ref=patient).order_by("id")
    assert list(trail.values_list("verb", flat=True)) == ["reviewed", "reviewed", "withdrew"]
    assert trail[1].detail == {
        "review": second.pk,
        "verdict": "reject",
        "finding": finding.pk,
        "reason_code": "other",
    }


def test_an_edit_leaves_the_models_finding_as_it_was(
    run: DetectionRun, finding: Finding, reader: User
) -> None:
    reviews.record(finding_id=finding.pk, user=reader, verdict="edit", box=[1, 2, 3, 4])
    view = selectors.film(image_id=run.image_id, user=reader).findings[0]
    assert (view.label, view.box) == ("covid", (20.0, 30.0, 100.0, 120.0))
    assert (view.shown_label, view.shown_box) == ("covid", (1.0, 2.0, 3.0, 4.0))
    reviews.record(finding_id=finding.pk, user=reader, verdict="edit", label="pneumonia")
    view = selectors.film(image_id=run.image_id, user=reader).findings[0]
    assert (view.shown_label, view.shown_box) == ("pneumonia", view.box)


def test_an_added_box_stands_beside_the_models_findings(run: DetectionRun, reader: User) -> None:
    added = reviews.record(
        image_id=run.image_id, user=reader, verdict="add", label="covid", box=[0, 0, 400, 300]
    )
    film = selectors.film(image_id=run.image_id, user=reader)
    assert [a.pk for a in film.added] == [added.pk]
    reviews.withdraw(review_id=added.pk, user=reader)
    assert selectors.film(image_id=run.image_id, user=reader).added == []


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"verdict": "maybe"}, "bad_verdict"),
        ({"verdict": "edit"}, "needs_label_or_box"),
        ({"verdict": "edit", "label": "cancer"}, "bad_label"),
        ({"verdict": "accept", "label": "covid"}, "unexpected_change"),
        ({"verdict": "reject", "box": [0, 0, 5, 5]}, "unexpected_change"),
        ({"verdict": "accept", "reason": "x" * 301}, "reason_too_long"),
        ({"verdict": "reject"}, "reason_code_missing"),
        ({"verdict": "reject", "reason": " \n"}, "reason_code_missing"),
        ({"verdict": "reject", "reason_code": "rib"}, "bad_reason_code"),
        ({"verdict": "reject", "reason_code": "other", "reason": " "}, "reason_missing"),
        ({"verdict": "accept", "reason_code": "artefact"}, "unexpected_reason_code"),
        ({"verdict": "add", "label": "covid", "box": [0, 0, 5, 5]}, "needs_finding"),
        ({"verdict": "edit", "box": [0, 0, 5]}, "bad_box"),
        ({"verdict": "edit", "box": [0, 0, 5, 5, 5]}, "bad_box"),
        ({"verdict": "edit", "box": [0, 0, 5, "5"]}, "bad_box"),
        ({"verdict": "edit", "box": [0, 0, 5, True]}, "bad_box"),
        ({"verdict": "edit", "box": [0, 0, 5, None]}, "bad_box"),
        ({"verdict": "edit", "box": [math.nan, 0, 5, 5]}, "bad_box"),
        ({"verdict": "edit", "box": [0, 0, math.inf, 5]}, "bad_box"),
        ({"verdict": "edit", "box": [0, 0, 0, 5]}, "bad_box"),
        ({"verdict": "edit", "box": [0, 0, 5, -5]}, "bad_box"),
        ({"verdict": "edit", "box": [-1, 0, 5, 5]}, "box_outside"),
        ({"verdict": "edit", "box": [396, 0, 5, 5]}, "box_outside"),
        ({"verdict": "edit", "box": [0, 296, 5, 5]}, "box_outside"),
        ({"verdict": "edit", "box": [0, 0, 10**400, 5]}, "bad_box"),
    ],
)
def test_what_is_refused(finding: Finding, reader: User, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(DomainError) as caught:
        reviews.record(finding_id=finding.pk, user=reader, **fields)
    assert caught.value.code == code
    assert not Review.objects.exists()


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"verdict": "add", "label": "covid"}, "needs_label_and_box"),
        ({"verdict": "add", "box": [0, 0, 5, 5]}, "needs_label_and_box"),
        ({"verdict": "accept"}, "needs_finding"),
    ],
)
def test_what_is_refused_on_an_image(
    run: DetectionRun, reader: User, fields: dict[str, Any], code: str
) -> None:
    with pytest.raises(DomainError) as caught:
        reviews.record(image_id=run.image_id, user=reader, **fields)
    assert caught.value.code == code


def test_things_that_are_not_there(finding: Finding, reader: User) -> None:
    elsewhere = make_image()
    for fields, code in (
        ({"finding_id": 10**9, "verdict": "accept"}, "no_such_finding"),
        (
            {"finding_id": finding.pk, "image_id": elsewhere.pk, "verdict": "accept"},
            "no_such_finding",
        ),
        (
            {"image_id": 10**9, "verdict": "add", "label": "covid", "box": [0, 0, 5, 5]},
            "no_such_image",
        ),
        ({"verdict": "add", "label": "covid", "box": [0, 0, 5, 5]}, "no_such_image"),
    ):
        with pytest.raises(NotFoundError) as caught:
            reviews.record(user=reader, **fields)  # type: ignore[arg-type]
        assert caught.value.code == code
    with pytest.raises(NotFoundError):
        reviews.withdraw(review_id=10**9, user=reader)


def test_after_the_signature_nothing_changes(
    run: DetectionRun, finding: Finding, reader: User
) -> None:
    review = reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    sign.sign(image_id=run.image_id, user=reader, conclusion="abnormal")
    for act in (
        lambda: reviews.record(
            finding_id=finding.pk, user=reader, verdict="reject", reason_code="not_a_finding"
        ),
        lambda: reviews.record(
            image_id=run.image_id, user=reader, verdict="add", label="covid", box=[0, 0, 5, 5]
        ),
        lambda: reviews.withdraw(review_id=review.pk, user=reader),
    ):
        with pytest.raises(ConflictError) as caught:
            act()
        assert caught.value.code == "signed"
    assert Review.objects.count() == 1


def test_not_while_another_reader_holds_the_film(
    run: DetectionRun, finding: Finding, reader: User, other: User
) -> None:
    review = reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    claims.claim(image_id=run.image_id, user=other)
    for act in (
        lambda: reviews.record(
            finding_id=finding.pk, user=reader, verdict="reject", reason_code="not_a_finding"
        ),
        lambda: reviews.withdraw(review_id=review.pk, user=reader),
    ):
        with pytest.raises(ConflictError) as caught:
            act()
        assert caught.value.code == "claimed"


def test_only_ones_own_newest_verdict_can_be_taken_back_and_once(
    finding: Finding, reader: User, other: User
) -> None:
    first = reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    second = reviews.record(
        finding_id=finding.pk, user=other, verdict="reject", reason_code="not_a_finding"
    )
    with pytest.raises(NotPermittedError) as refused:
        reviews.withdraw(review_id=second.pk, user=reader)
    assert refused.value.code == "not_yours"
    with pytest.raises(ConflictError) as caught:
        reviews.withdraw(review_id=first.pk, user=reader)
    assert caught.value.code == "not_latest"
    reviews.withdraw(review_id=second.pk, user=other)
    with pytest.raises(ConflictError) as caught:
        reviews.withdraw(review_id=second.pk, user=other)
    assert caught.value.code == "withdrawn"
    reviews.withdraw(review_id=first.pk, user=reader)


def test_findings_and_verdicts_are_only_ever_added(finding: Finding, reader: User) -> None:
    review = reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    review.verdict = "reject"
    finding.score = 0.1
    for row in (review, finding):
        with pytest.raises(DatabaseError), transaction.atomic():
            row.save()
