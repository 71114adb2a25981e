from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import User
from detection import selectors
from detection.models import DetectorVersion, RunState
from detection.services import claims, reviews, sign
from detection.services.worklist import refresh_items
from tests.detection.factories import make_device, make_image, make_run
from twinhealth.errors import NotFoundError

pytestmark = pytest.mark.django_db
REASON = {"rule": "noise", "state": "act", "text": "noise 9 above 5", "since": None}


def test_everything_the_page_needs(version: DetectorVersion, reader: User, other: User) -> None:
    image = make_image(device=make_device())
    patient = image.series.study.patient
    prior = make_image(patient, acquired_at=image.acquired_at - timedelta(days=3))
    make_image(patient, acquired_at=image.acquired_at + timedelta(days=3))
    run = make_run(
        image,
        version,
        boxes=(("normal", 0.95, 250, 10, 50, 50), ("covid", 0.9), ("pneumonia", 0.1)),
        device_trust="reduced",
        trust_reasons=[REASON],
    )
    covid = run.findings.get(label="covid")
    reviews.record(finding_id=covid.pk, user=reader, verdict="accept")
    claim = claims.claim(image_id=image.pk, user=other)

    film = selectors.film(image_id=image.pk, user=reader)

    assert [(v.number, v.label, v.flags, v.side) for v in film.findings] == [
        (1, "normal", False, "right"),
        (2, "covid", True, "left"),
        (3, "pneumonia", False, "left"),
    ]
    assert film.findings[1].review is not None
    assert film.findings[0].review is None
    assert (film.trust, list(film.trust_reasons)) == ("reduced", [REASON])
    assert (film.run, film.version, film.claim, film.signature) == (run, version, claim, None)
    assert [p.image for p in film.priors] == [prior]
    assert film.why == "covid 0.90, left of the picture; machine's trust reduced"
    assert film.priority is not None


def test_a_film_that_nothing_read(reader: User) -> None:
    image = make_image()
    film = selectors.film(image_id=image.pk, user=reader)
    assert (film.run, film.version, film.trust, film.why) == (None, None, "unknown", "")
    assert (list(film.findings), film.device, film.claim) == ([], None, None)


def test_once_signed_it_waits_no_more(version: DetectorVersion, reader: User) -> None:
    run = make_run(make_image(), version, boxes=(("covid", 0.9),))
    signature = sign.sign(image_id=run.image_id, user=reader, conclusion="abnormal").signature
    film = selectors.film(image_id=run.image_id, user=reader)
    assert (film.signature, film.why, film.priority) == (signature, "", None)


def test_a_claim_that_ran_out_is_not_shown(version: DetectorVersion, reader: User) -> None:
    image = make_image()
    claims.claim(image_id=image.pk, user=reader)
    later = timezone.now() + timedelta(minutes=11)
    assert selectors.film(image_id=image.pk, user=reader, now=later).claim is None


def test_the_number_of_queries_does_not_grow(version: DetectorVersion, reader: User) -> None:
    run = make_run(make_image(), version, boxes=(("covid", 0.9),) * 12)
    for finding in run.findings.all():
        reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    with CaptureQueriesContext(connection) as queries:
        film = selectors.film(image_id=run.image_id, user=reader)
        [(v.review and v.review.by.username) for v in film.findings]
    assert len(queries) <= 8


def test_no_such_film(reader: User) -> None:
    for read in (
        lambda: selectors.film(image_id=10**9, user=reader),
        lambda: selectors.film_state(10**9, user=reader),
    ):
        with pytest.raises(NotFoundError) as caught:
            read()
        assert caught.value.code == "no_such_image"


def test_what_became_of_a_film(version: DetectorVersion, reader: User) -> None:
    first = make_run(make_image(), version, RunState.QUEUED)
    second = make_run(make_image(), version, RunState.QUEUED)
    running = make_run(make_image(), version, RunState.RUNNING)
    done = make_run(make_image(), version, boxes=(("covid", 0.9), ("normal", 0.9)))
    quiet = make_run(make_image(), version, boxes=(("normal", 0.9),))
    failed = make_run(make_image(), version, RunState.FAILED, reason="x")
    refused = make_run(
        make_image(), version, RunState.REFUSED, reason_code="cannot_display", reason="y"
    )
    waiting = make_image()
    runs = [first, second, running, done, quiet, failed, refused]
    with CaptureQueriesContext(connection) as queries:
        states = selectors.film_states([*(r.image_id for r in runs), waiting.pk], user=reader)
    assert len(queries) <= 5
    assert [(s.state, s.text, s.place, s.findings, s.flagged, s.ended) for s in states] == [
        ("queued", "queued", 1, None, False, False),
        ("queued", "queued", 2, None, False, False),
        ("running", "reading", None, None, False, False),
        ("done", "1 finding", None, 2, True, True),
        ("done", "no finding", None, 1, False, True),
        ("failed", "could not be read", None, None, False, True),
        ("refused", "not read", None, None, False, True),
        ("waiting", "no detector is active", None, None, False, False),
    ]
    assert (states[6].reason_code, states[6].reason) == ("cannot_display", "y")
    for run, place in ((first, 1), (second, 2)):
        assert selectors.film_state(run.image_id, user=reader).place == place


def test_films_of_a_patient_come_with_their_findings(
    version: DetectorVersion, reader: User
) -> None:
    image = make_image()
    make_run(image, version, boxes=(("covid", 0.9),))
    make_image()
    with CaptureQueriesContext(connection) as queries:
        patient = image.series.study.patient_id
        films = selectors.films_of_patient(patient, user=reader, limit=9)
        labels = [f.label for film in films for r in film.latest_runs for f in r.findings.all()]
    assert (films, labels) == ([image], ["covid"])
    assert len(queries) <= 5


def test_images_of_a_machine_say_nothing_of_the_patient(version: DetectorVersion) -> None:
    device = make_device()
    image = make_image(device=device)
    make_run(image, version)
    refresh_items(image_ids=[make_image().pk])
    with CaptureQueriesContext(connection) as queries:
        items = list(selectors.images_of_device(device.pk))
        assert [(i.image_id, i.run_state, i.trust) for i in items] == [
            (image.pk, "done", "unknown")
        ]
    assert len(queries) == 1
    assert "patient" not in queries[0]["sql"]
    assert "label" not in queries[0]["sql"]
