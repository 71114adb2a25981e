"""Skip, help, urgency and second look: what they change, who may, what the audit says."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from detection import selectors
from detection.models import Claim, DetectorVersion, WorklistItem
from detection.services import claims, sign
from detection.services.worklist import refresh_items
from imaging.models import Image
from reading.models import HelpRequest, SecondLook, Skip
from reading.selectors import open_help, second_looks, skipped_by
from reading.services import line, second_look
from tests.detection.factories import make_image, make_run
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError, NotPermittedError

pytestmark = pytest.mark.django_db


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def film(version: DetectorVersion) -> Image:
    image = make_image()
    make_run(image, version, boxes=(("covid", 0.9),))
    return image


def test_a_skipped_film_is_offered_to_others_only(film: Image, reader: User, other: User) -> None:
    claims.claim(image_id=film.pk, user=reader)
    made = line.skip(image_id=film.pk, user=reader, reason="  need   a prior ")
    assert made.reason == "need a prior"
    assert not Claim.objects.exists()
    assert selectors.next_image(user=reader, leave_out=skipped_by(reader)) is None
    assert selectors.next_image(user=other, leave_out=skipped_by(other)) == film
    later = timezone.now() + line.SKIPPED_FOR + timedelta(seconds=1)
    assert not skipped_by(reader, now=later).exists()
    assert f"/films/{film.pk}/" not in as_user(reader).get("/worklist/").content.decode()
    assert f"/films/{film.pk}/" in as_user(reader).get("/worklist/?show=all").content.decode()
    assert AuditEntry.objects.filter(verb="skipped", detail={"skip": made.pk}).exists()


@pytest.mark.parametrize("reason", ["", "  \n", "x" * 301])
def test_every_act_says_why(film: Image, reader: User, reason: str) -> None:
    for act in (line.skip, line.ask_help):
        with pytest.raises(InvalidInputError):
            act(image_id=film.pk, user=reader, reason=reason)
    with pytest.raises(InvalidInputError):
        line.set_urgency(image_id=film.pk, user=reader, urgency="stat", reason=reason)
    assert not Skip.objects.exists()
    assert not HelpRequest.objects.exists()


def test_what_another_reads_or_signed_is_left_alone(film: Image, reader: User, other: User) -> None:
    claims.claim(image_id=film.pk, user=other)
    for act in (line.skip, line.ask_help):
        with pytest.raises(ConflictError, match="reading this film"):
            act(image_id=film.pk, user=reader, reason="why")
    sign.sign(image_id=film.pk, user=other, conclusion="normal")
    for act in (line.skip, line.ask_help):
        with pytest.raises(ConflictError, match="signed"):
            act(image_id=film.pk, user=reader, reason="why")


def test_help_is_seen_by_all_and_answered_by_another(
    film: Image, reader: User, other: User
) -> None:
    call = line.ask_help(image_id=film.pk, user=reader, reason="<b>tube?</b>")
    html = as_user(other).get("/worklist/?show=help").content.decode()
    assert "&lt;b&gt;tube?" in html
    assert "<b>tube?" not in html
    with pytest.raises(ConflictError) as twice:
        line.ask_help(image_id=film.pk, user=other, reason="me too")
    assert twice.value.code == "help_open"
    with pytest.raises(NotPermittedError):
        line.answer_help(help_id=call.pk, user=reader, answer="myself")
    with pytest.raises(NotPermittedError):
        line.withdraw_help(help_id=call.pk, user=other)
    done = line.answer_help(help_id=call.pk, user=other, answer="no tube")
    assert (done.state, done.answer, done.ended_by) == ("answered", "no tube", other)
    with pytest.raises(ConflictError):
        line.withdraw_help(help_id=call.pk, user=reader)
    assert not open_help().exists()
    verbs = set(AuditEntry.objects.values_list("verb", flat=True))
    assert {"asked_help", "answered_help"} <= verbs


def test_a_signed_film_leaves_the_queue_of_help(film: Image, reader: User, other: User) -> None:
    line.ask_help(image_id=film.pk, user=reader, reason="why")
    sign.sign(image_id=film.pk, user=other, conclusion="normal")
    assert not open_help().exists()


def test_urgency_by_header_and_by_hand(version: DetectorVersion, reader: User) -> None:
    asked = make_image(requested_urgency="stat")
    make_run(asked, version)
    plain = make_image(received_ago=timedelta(minutes=20))
    make_run(plain, version, boxes=(("covid", 0.99),))
    rows = selectors.worklist(user=reader).rows
    assert [row.image for row in rows] == [asked, plain]
    assert rows[0].why == "asked for as STAT"
    line.set_urgency(image_id=asked.pk, user=reader, urgency="routine", reason="wrong patient")
    assert [row.image for row in selectors.worklist(user=reader).rows] == [plain]
    line.set_urgency(image_id=asked.pk, user=reader, urgency="high", reason="fell again")
    item = WorklistItem.objects.get(image=asked)
    assert (item.urgency, item.urgency_reason) == ("high", "fell again")
    assert selectors.worklist(user=reader).rows[0].why == "asked for as urgent (fell again)"
    with pytest.raises(InvalidInputError, match="urgency is one of"):
        line.set_urgency(image_id=asked.pk, user=reader, urgency="now", reason="x")


def signed(version: DetectorVersion, user: User, conclusion: str, *, flag: bool, sha: str) -> Image:
    image = make_image(sha256=(sha * 64)[:64])
    make_run(image, version, boxes=(("covid", 0.9),) if flag else ())
    sign.sign(image_id=image.pk, user=user, conclusion=conclusion)
    return image


def test_the_second_look_takes_disagreements_and_a_fixed_sample(
    version: DetectorVersion, reader: User, other: User, settings: Any
) -> None:
    settings.SECOND_LOOK_SHARE = 0.5
    missed = signed(version, reader, "abnormal", flag=False, sha="f")
    refused = signed(version, reader, "normal", flag=True, sha="e")
    drawn = signed(version, reader, "normal", flag=False, sha="7")
    signed(version, reader, "normal", flag=False, sha="8")
    signed(version, reader, "abnormal", flag=True, sha="1")
    queue = lambda: {s.image for s in second_looks()}  # noqa: E731
    assert queue() == {missed, refused, drawn}
    settings.SECOND_LOOK_SHARE = 0.0
    assert queue() == {missed, refused, drawn}  # the share of when they were signed
    refresh_items(image_ids=[drawn.pk, missed.pk])
    assert queue() == {missed, refused}
    with pytest.raises(NotPermittedError) as own:
        second_look.look_again(image_id=missed.pk, user=reader, agrees=True, reason="mine")
    assert own.value.code == "own_signature"
    with pytest.raises(NotFoundError) as outside:
        second_look.look_again(image_id=drawn.pk, user=other, agrees=True, reason="x")
    assert outside.value.code == "not_in_queue"
    html = as_user(other).get("/worklist/?show=second_look").content.decode()
    assert f"/films/{missed.pk}/" in html
    assert f"/films/{drawn.pk}/" not in html
    second_look.look_again(image_id=missed.pk, user=other, agrees=False, reason="no infiltrate")
    assert queue() == {refused}
    assert WorklistItem.objects.get(image=missed).look_since is None
    refresh_items(image_ids=[missed.pk])  # a later run brings it back into the index, not the queue
    assert queue() == {refused}
    with pytest.raises(ConflictError):
        second_look.look_again(image_id=missed.pk, user=other, agrees=True, reason="again")
    assert SecondLook.objects.get().agrees is False
    assert AuditEntry.objects.filter(verb="looked_again").count() == 1


def test_rest(film: Image, reader: User, other: User) -> None:
    api = APIClient()
    api.force_authenticate(reader)
    base = f"/api/v1/images/{film.pk}"
    assert api.post(f"{base}/skip/", {}).status_code == 400
    answer = api.post(f"{base}/skip/", {"reason": "later"})
    assert (answer.status_code, answer.data["image"]) == (201, film.pk)
    call = api.post(f"{base}/help/", {"reason": "line or rib?"})
    assert (call.status_code, call.data["by"], call.data["state"]) == (201, "reader", "open")
    assert api.post(f"{base}/help/", {"reason": "again"}).data["code"] == "help_open"
    own = api.post(f"/api/v1/help/{call.data['id']}/answer/", {"answer": "rib"})
    assert (own.status_code, own.data["code"]) == (403, "own_help")
    api.force_authenticate(other)
    done = api.post(f"/api/v1/help/{call.data['id']}/answer/", {"answer": "rib"})
    assert (done.status_code, done.data["ended_by"]) == (201, "other")
    urgency = api.post(f"{base}/urgency/", {"urgency": "high", "reason": "fell"})
    assert urgency.data["urgency"] == "high"
    look = api.post(f"{base}/second-look/", {"agrees": True, "reason": "x"})
    assert (look.status_code, look.data["code"]) == (404, "not_signed")


def test_the_panel_of_the_film_page(film: Image, reader: User, other: User) -> None:
    page, htmx = as_user(reader), {"HTTP_HX_REQUEST": "true"}
    assert f"/films/{film.pk}/line/" in page.get(f"/films/{film.pk}/").content.decode()
    assert "I need help" in page.get(f"/films/{film.pk}/line/").content.decode()
    empty = page.post(f"/films/{film.pk}/help/", {"reason": ""}, **htmx)
    assert (empty.status_code, empty["X-Swap-Error"]) == (400, "yes")
    assert "Say why" in empty.content.decode()
    sent = page.post(f"/films/{film.pk}/help/", {"reason": "rib?"}, **htmx)
    assert (sent.status_code, sent["HX-Redirect"]) == (204, "/worklist/")
    call = HelpRequest.objects.get()
    answered = as_user(other).post(f"/help/{call.pk}/answer/", {"answer": "a rib"}, **htmx)
    assert "a rib" in answered.content.decode()
    moved = page.post(f"/films/{film.pk}/skip/", {"reason": "later"})
    assert (moved.status_code, moved["Location"]) == (302, "/worklist/")


def test_the_page_asks_a_constant_number_of_queries(
    version: DetectorVersion, reader: User, other: User
) -> None:
    page = as_user(reader)

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert page.get("/worklist/?show=all").status_code == 200
        return len(queries)

    def more() -> None:
        image = make_image()
        make_run(image, version, boxes=(("covid", 0.9),))
        line.ask_help(image_id=image.pk, user=other, reason="rib?")
        signed(version, other, "abnormal", flag=False, sha=f"{image.pk:x}a")

    more()
    few = count()
    for _ in range(3):
        more()
    assert count() == few <= 18
