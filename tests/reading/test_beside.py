"""The prior beside: only the patient's own earlier films, with a row in the audit."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from detection.models import Review, Verdict
from tests.detection.factories import make_image, make_run, make_user, make_version
from tests.imaging.factories import ACQUIRED_AT

pytestmark = pytest.mark.django_db


@pytest.fixture
def reader() -> User:
    return make_user()


@pytest.fixture
def browser(reader: User) -> Client:
    client = Client()
    client.force_login(reader)
    return client


def test_the_prior_comes_with_its_boxes_and_the_change(browser: Client, reader: User) -> None:
    version = make_version()
    prior = make_image(acquired_at=ACQUIRED_AT - timedelta(days=9))
    patient = prior.series.study.patient
    now = make_image(patient, acquired_at=ACQUIRED_AT)
    make_run(prior, version, boxes=[("pneumonia", 0.8, 5, 5, 30, 40)])
    run = make_run(now, version, boxes=[("covid", 0.9, 5, 5, 30, 40)])
    page = browser.get(f"/films/{now.pk}/beside/{prior.pk}/").content.decode()
    assert f"/api/v1/images/{prior.pk}/pixels/" in page
    assert "left: covid instead of pneumonia" in page
    seen = AuditEntry.objects.filter(verb="viewed", detail={"beside": now.pk})
    assert seen.count() == 1
    # a rejected finding stands no longer
    finding = run.findings.get()
    Review.objects.create(image=now, finding=finding, verdict=Verdict.REJECT, by=reader)
    page = browser.get(f"/films/{now.pk}/beside/{prior.pk}/").content.decode()
    assert "left: pneumonia: gone" in page


def test_nothing_is_compared_with_a_film_that_nobody_read(browser: Client) -> None:
    version = make_version()
    prior = make_image(acquired_at=ACQUIRED_AT - timedelta(days=9))
    now = make_image(prior.series.study.patient, acquired_at=ACQUIRED_AT)
    make_run(now, version, boxes=[("covid", 0.9, 5, 5, 30, 40)])
    page = browser.get(f"/films/{now.pk}/beside/{prior.pk}/").content.decode()
    assert "compared" in page
    assert "new" not in page


@pytest.mark.parametrize("which", ["another patient", "a later film", "itself", "none"])
def test_only_earlier_films_of_the_same_patient(browser: Client, which: str) -> None:
    now = make_image(acquired_at=ACQUIRED_AT)
    patient = now.series.study.patient
    other = {
        "another patient": lambda: make_image(acquired_at=ACQUIRED_AT - timedelta(days=1)).pk,
        "a later film": lambda: make_image(patient, acquired_at=ACQUIRED_AT + timedelta(days=1)).pk,
        "itself": lambda: now.pk,
        "none": lambda: 10**9,
    }[which]()
    answer = browser.get(f"/films/{now.pk}/beside/{other}/")
    assert answer.status_code == 404
    assert not AuditEntry.objects.filter(detail__has_key="beside").exists()
