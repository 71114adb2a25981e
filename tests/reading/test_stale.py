"""An act on a page that is behind: 409, who was faster and when, and the panel as it is now."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import User
from detection.models import DetectionRun, DetectorVersion, Review, Signature
from detection.services import claims, reviews, sign
from imaging.models import Image
from reading.models import OnCallList
from reading.services import critical, line, second_look
from tests.detection.factories import make_image, make_run

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def run(version: DetectorVersion) -> DetectionRun:
    return make_run(make_image(), version, boxes=(("covid", 0.9),))


@pytest.fixture
def film(run: DetectionRun) -> Image:
    return run.image


@pytest.fixture
def page(reader: User) -> Client:
    client = Client()
    client.force_login(reader)
    return client


@pytest.fixture
def api(reader: User) -> APIClient:
    client = APIClient()
    client.force_authenticate(reader)
    return client


def taken(film: Image, other: User) -> None:
    claims.claim(image_id=film.pk, user=other)


def signed(film: Image, other: User) -> None:
    sign.sign(image_id=film.pk, user=other, conclusion="normal")


ACTS: list[tuple[str, dict[str, Any]]] = [
    ("findings/{finding}/verdict/", {"verdict": "accept"}),
    ("findings/add/", {"verdict": "add", "label": "covid", "x": 1, "y": 1, "w": 9, "h": 9}),
    ("claim/", {}),
    ("sign/", {"conclusion": "abnormal"}),
]


@pytest.mark.parametrize(("address", "body"), ACTS, ids=[a for a, _ in ACTS])
@pytest.mark.parametrize(("happened", "code"), [(taken, "claimed"), (signed, "signed")])
def test_acts_on_a_film_that_another_took_or_signed(
    page: Client,
    run: DetectionRun,
    other: User,
    address: str,
    body: dict[str, Any],
    happened: Callable[[Image, User], None],
    code: str,
) -> None:
    happened(run.image, other)
    where = f"/films/{run.image_id}/" + address.format(finding=run.findings.get().pk)
    answer = page.post(where, body, **HTMX)
    html = answer.content.decode()
    assert (answer.status_code, answer["X-Swap-Error"]) == (409, "yes")
    assert f'data-error-code="{code}"' in html
    # both panels, as they are now: who has it, and nothing left to press
    assert 'id="findings"' in html
    assert 'id="report"' in html
    assert "Dr Other" in html
    assert 'data-act="accept"' not in html
    assert 'data-sign="sign"' not in html
    assert Review.objects.count() == 0
    assert Signature.objects.count() == (code == "signed")
    assert page.post(where, body).status_code == 409  # without htmx: a page that says it


def test_taking_back_what_was_taken_back_in_another_tab(
    page: Client, api: APIClient, run: DetectionRun, reader: User, other: User
) -> None:
    finding = run.findings.get()
    review = reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    reviews.withdraw(review_id=review.pk, user=reader)
    answer = page.post(f"/films/{run.image_id}/undo/", {"review": review.pk}, **HTMX)
    html = answer.content.decode()
    assert (answer.status_code, answer["X-Swap-Error"]) == (409, "yes")
    assert "taken back already" in html
    assert 'data-verdict=""' in html
    says(api.delete(f"/api/v1/reviews/{review.pk}/"), "withdrawn", reader)
    mine = reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    newer = reviews.record(
        finding_id=finding.pk, user=other, verdict="reject", reason_code="artefact"
    )
    extra = says(api.delete(f"/api/v1/reviews/{mine.pk}/"), "not_latest", other)
    assert (extra["review"], extra["verdict"]) == (newer.pk, "reject")
    stale = page.post(f"/films/{run.image_id}/undo/", {"review": mine.pk}, **HTMX)
    assert "Dr Other has given a newer verdict" in stale.content.decode()
    assert 'data-verdict="reject"' in stale.content.decode()


def says(answer: Any, code: str, who: User) -> dict[str, Any]:
    """409 with who and when; the rest of what it carries."""
    assert answer.status_code == 409, answer.content
    body = answer.json()
    assert body["code"] == code
    assert body["extra"]["by"] == str(who)
    assert datetime.fromisoformat(body["extra"]["at"]) <= timezone.now()
    return dict(body["extra"])


def test_rest_says_who_took_or_signed_the_film_and_when(
    api: APIClient, run: DetectionRun, other: User
) -> None:
    finding, image = run.findings.get().pk, run.image_id
    acts = [
        (f"/api/v1/findings/{finding}/reviews/", {"verdict": "accept"}),
        (f"/api/v1/images/{image}/claim/", {}),
        (f"/api/v1/images/{image}/sign/", {"conclusion": "abnormal"}),
        (f"/api/v1/images/{image}/skip/", {"reason": "later"}),
        (f"/api/v1/images/{image}/help/", {"reason": "rib?"}),
    ]
    taken(run.image, other)
    for address, body in acts:
        assert "until" in says(api.post(address, body, format="json"), "claimed", other)
    claims.release(image_id=image, user=other)
    signed(run.image, other)
    for address, body in acts:
        extra = says(api.post(address, body, format="json"), "signed", other)
        assert extra["signature"] == Signature.objects.get().pk


def test_rest_says_who_asked_and_who_answered(
    api: APIClient, film: Image, reader: User, other: User
) -> None:
    call = line.ask_help(image_id=film.pk, user=other, reason="rib?")
    extra = says(api.post(f"/api/v1/images/{film.pk}/help/", {"reason": "x"}), "help_open", other)
    assert extra["help"] == call.pk
    line.withdraw_help(help_id=call.pk, user=other)
    late = api.post(f"/api/v1/help/{call.pk}/answer/", {"answer": "a rib"})
    assert says(late, "help_ended", other)["state"] == "withdrawn"


def test_rest_says_who_looked_again(
    api: APIClient, run: DetectionRun, reader: User, other: User
) -> None:
    third = User.objects.create_user("third", role="clinician")
    signed(run.image, third)  # normal, though flagged
    second_look.look_again(image_id=run.image_id, user=other, agrees=False, reason="no")
    body = {"agrees": True, "reason": "x"}
    late = api.post(f"/api/v1/images/{run.image_id}/second-look/", body, format="json")
    assert says(late, "looked_at", other)["agrees"] is False


def test_rest_says_who_acknowledged(api: APIClient, film: Image, reader: User, other: User) -> None:
    on_call = OnCallList.objects.create(name="Thorax")
    on_call.steps.create(position=1, user=other, minutes=5)
    made = critical.report(image_id=film.pk, user=reader, text="free air", on_call_id=on_call.pk)
    critical.acknowledge(result_id=made.pk, user=other, read_back="free air")
    late = api.post(f"/api/v1/critical-results/{made.pk}/cancel/", {"reason": "wrong"})
    assert says(late, "closed", other)["state"] == "acknowledged"
