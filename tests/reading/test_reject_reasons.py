"""Why a finding was rejected: codes at every door, counted per version."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import User
from detection.models import DetectorVersion, Finding, Review
from detection.services import reviews
from reading.selectors_agreement import Span
from reading.selectors_rejects import rejects_by_version
from tests.detection.factories import make_image, make_run, make_user, make_version

pytestmark = pytest.mark.django_db
JSON = "application/json"


def make_finding(version: DetectorVersion) -> Finding:
    return make_run(make_image(), version, boxes=(("covid", 0.9),)).findings.get()


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def today() -> Span:
    day = timezone.localdate()
    return Span(day - timedelta(days=1), day)


def test_rest_takes_a_code_and_words_alone_as_other(reader: User, version: DetectorVersion) -> None:
    client, finding = as_user(reader), make_finding(version)
    address = f"/api/v1/findings/{finding.pk}/reviews/"
    body = {"verdict": "reject", "reason_code": "duplicate"}
    made = client.post(address, body, content_type=JSON)
    assert (made.status_code, made.json()["reason_code"]) == (201, "duplicate")
    old = client.post(address, {"verdict": "reject", "reason": "a rib"}, content_type=JSON)
    assert (old.status_code, old.json()["reason_code"]) == (201, "other")
    none = client.post(address, {"verdict": "reject"}, content_type=JSON)
    assert (none.status_code, none.json()["code"]) == (400, "reason_code_missing")
    assert Review.objects.count() == 2


def test_the_verdict_shows_the_words_of_its_code(reader: User, version: DetectorVersion) -> None:
    finding = make_finding(version)
    image = finding.run.image
    client = as_user(reader)
    sent = {"verdict": "reject", "reason_code": "wrong_class", "reason": "<b>effusion</b>"}
    client.post(f"/films/{image.pk}/findings/{finding.pk}/verdict/", sent)
    for address in (
        f"/films/{image.pk}/",
        f"/patients/{image.series.study.patient_id}/films/",
    ):
        html = client.get(address).content.decode()
        assert "something there, other class: &lt;b&gt;effusion" in html
    timeline = client.get(f"/api/v1/patients/{image.series.study.patient_id}/timeline/").json()
    assert [e["reason_code"] for e in timeline["results"] if e["kind"] == "verdict"] == [
        "wrong_class"
    ]


def test_the_database_keeps_codes_to_rejects(reader: User, version: DetectorVersion) -> None:
    finding = make_finding(version)
    common = {"image": finding.run.image, "finding": finding, "by": reader}
    for wrong in (
        {"verdict": "accept", "reason_code": "artefact"},
        {"verdict": "reject", "reason_code": "other", "reason": ""},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Review.objects.create(**common, **wrong)
    kept = Review.objects.create(**common, verdict="reject", reason_code="artefact")
    with pytest.raises(DatabaseError), transaction.atomic():
        Review.objects.filter(pk=kept.pk).update(reason_code="duplicate")


def test_counts_per_version_of_what_still_counts(
    reader: User, other: User, version: DetectorVersion
) -> None:
    second = make_version("candidate")

    def reject(at: DetectorVersion, code: str, by: User = reader) -> Review:
        finding = make_finding(at)
        return reviews.record(finding_id=finding.pk, user=by, verdict="reject", reason_code=code)

    for code in ("artefact", "artefact", "duplicate"):
        reject(version, code)
    reject(second, "wrong_place", other)
    withdrawn = reject(version, "artefact")
    reviews.withdraw(review_id=withdrawn.pk, user=reader)
    overruled = reject(version, "artefact")
    reviews.record(finding_id=overruled.finding_id, user=other, verdict="accept")
    old = make_finding(version)  # from before there were codes
    Review.objects.create(image=old.run.image, finding=old, verdict="reject", by=reader)
    [mine] = rejects_by_version(user=reader, span=today())
    told = {code: number for code, number in mine.counts.items() if number}
    assert (mine.version, told, mine.total) == (
        version.name,
        {"artefact": 2, "duplicate": 1, "": 1},
        4,
    )
    lead = make_user(is_reading_lead=True)
    every = rejects_by_version(user=lead, span=today())
    assert [(row.version, row.total) for row in every] == [(version.name, 4), (second.name, 1)]
    html = as_user(reader).get("/agreement/").content.decode()
    assert '<th scope="row">artefact, device or line</th><td class="num">2</td>' in html
    assert second.name not in html
    got = as_user(lead).get("/api/v1/agreement/").json()["rejects"]
    assert [row["counts"]["artefact"] for row in got] == [2, 0]
