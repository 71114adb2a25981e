"""Where blinded reading, double reading and reports meet."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client

from accounts.models import AuditEntry, User
from detection import selectors
from detection.models import DetectorVersion, RunState
from detection.services import claims, reviews
from imaging.models import Image
from reading.forms import AddendumForm, AdjudicationForm, CriticalForm, SignForm
from reading.models import (
    Addendum,
    HelpRequest,
    IndependentRead,
    ReadingGroup,
    ReadingGroupMember,
    Report,
    ReportDraft,
)
from reading.services import addenda, first_impressions, line, report_draft
from reading.services.adjudication import adjudicate
from reading.services.report_sign import sign_film
from tests.detection.factories import make_image, make_run, make_user, make_version
from tests.reading.twice import differ, finding, first, make_film, read_twice
from twinhealth.errors import ConflictError, InvalidInputError

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}


@pytest.fixture
def film(version: DetectorVersion) -> Image:
    return make_film(version)


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def blind(*users: User) -> None:
    group = ReadingGroup.objects.create(name="blind", blinded=True)
    for user in users:
        ReadingGroupMember.objects.create(group=group, user=user)


# --- a blinded lead


def test_a_blinded_lead_sees_the_readings_after_a_first_read(
    film: Image, reader: User, other: User, lead: User
) -> None:
    differ(film, reader, other)
    blind(lead)
    page, address = as_user(lead), f"/films/{film.pk}/"
    html = page.get(address).content.decode()
    reads = page.get(f"/api/v1/images/{film.pk}/reads/").json()
    for told in ("Left covid.", "Clear.", "First reading", 'data-verdict="first"'):
        assert told not in html
    assert "Commit first impression" in html
    assert (reads["phase"], reads["reads"]) == ("adjudication", [])
    early = page.post(f"{address}adjudicate/", {"choice": "first"}, **HTMX)
    assert early.status_code == 409
    assert "hidden until your first read" in early.content.decode()
    assert not Report.objects.exists()
    # nothing that the refused decision put back stays
    assert selectors.film(image_id=film.pk, user=make_user()).added == []
    first_impressions.commit(image_id=film.pk, user=lead, conclusion="abnormal")
    html = page.get(address).content.decode()
    for told in ("Left covid.", "Clear.", "First reading", 'data-verdict="first"'):
        assert told in html
    assert len(page.get(f"/api/v1/images/{film.pk}/reads/").json()["reads"]) == 2
    assert page.post(f"{address}adjudicate/", {"choice": "first"}, **HTMX).status_code == 200
    assert "Left covid." in Report.objects.get().text


# --- what counts as having seen the model


@pytest.mark.parametrize(
    "address",
    [
        "/films/{film}/",
        "/images/{film}/report/",
        "/images/{film}/report.pdf",
        "/api/v1/images/{film}/",
        "/api/v1/images/{film}/report/",
        "/api/v1/images/{film}/report.pdf",
        "/api/v1/images/{film}/report/draft/",
        "/films/{later}/beside/{film}/",
    ],
)
def test_a_look_before_the_group_was_blinded_is_marked(
    film: Image, reader: User, address: str
) -> None:
    later = make_image(
        film.series.study.patient, acquired_at=film.acquired_at + timedelta(minutes=1)
    )
    page = as_user(reader)
    assert page.get(address.format(film=film.pk, later=later.pk)).status_code == 200
    blind(reader)
    done = first_impressions.commit(image_id=film.pk, user=reader, conclusion="normal")
    assert done.impression.seen_before


@pytest.mark.parametrize(
    "address",
    [
        "/films/{film}/",
        "/images/{film}/report/",
        "/api/v1/images/{film}/report/draft/",
        "/api/v1/images/{film}/text-blocks/",
        "/api/v1/images/{film}/reads/",
        "/films/{later}/beside/{film}/",
    ],
)
def test_a_blind_look_is_none(film: Image, reader: User, address: str) -> None:
    later = make_image(
        film.series.study.patient, acquired_at=film.acquired_at + timedelta(minutes=1)
    )
    blind(reader)
    page = as_user(reader)
    assert page.get(address.format(film=film.pk, later=later.pk)).status_code == 200
    done = first_impressions.commit(image_id=film.pk, user=reader, conclusion="normal")
    assert not done.impression.seen_before


def test_the_report_of_a_blinded_reader_is_audited_as_blind(film: Image, reader: User) -> None:
    blind(reader)
    as_user(reader).get(f"/images/{film.pk}/report/")
    entry = AuditEntry.objects.get(verb="viewed_report")
    assert entry.detail == {"version": 0, "signed": False, "blind": True}


# --- what a reading keeps, and what is left behind


def test_a_reading_keeps_the_code_of_a_reject(film: Image, reader: User) -> None:
    read_twice("all")
    reviews.record(
        finding_id=finding(film, "covid"), user=reader, verdict="reject", reason_code="artefact"
    )
    first(film, reader, "normal")
    kept = {
        f["label"]: f["reason_code"] for f in IndependentRead.objects.get().findings["findings"]
    }
    assert kept == {"covid": "artefact", "pneumonia": ""}


def test_a_late_save_leaves_no_draft_behind_a_reading(film: Image, reader: User) -> None:
    read_twice("all")
    words = {"findings": "typed"}
    report_draft.keep(image_id=film.pk, user=reader, sections=words)
    first(film, reader, "normal")
    with pytest.raises(ConflictError) as caught:
        report_draft.keep(image_id=film.pk, user=reader, sections=words)
    assert caught.value.code == "already_read"
    assert not ReportDraft.objects.exists()


def test_calls_of_before_are_listed_again_once_the_film_is_signed(
    film: Image, reader: User, other: User
) -> None:
    read_twice("all")
    call = line.ask_help(image_id=film.pk, user=reader, reason="CALL")
    line.answer_help(help_id=call.pk, user=make_user(), answer="ANSWER")
    page = as_user(other)

    def listed() -> str:
        return page.get("/api/v1/help/?state=answered").content.decode()

    assert "ANSWER" in listed()
    first(film, reader, "normal")
    assert "CALL" not in listed()
    assert "ANSWER" not in listed()
    claims.claim(image_id=film.pk, user=other)
    later = line.ask_help(image_id=film.pk, user=other, reason="LATER")
    line.withdraw_help(help_id=later.pk, user=other)
    assert "LATER" in page.get("/api/v1/help/?state=withdrawn").content.decode()
    claims.claim(image_id=film.pk, user=other)
    sign_film(image_id=film.pk, user=other, conclusion="normal")
    assert "ANSWER" in listed()
    assert HelpRequest.objects.count() == 2


# --- a lead's own words


def test_a_leads_own_words_are_held_to_what_holds_for_all(
    film: Image, reader: User, other: User, lead: User
) -> None:
    differ(film, reader, other)
    with pytest.raises(InvalidInputError) as caught:
        adjudicate(
            image_id=film.pk, user=lead, choice="own", conclusion="normal", text="{class} left"
        )
    assert caught.value.code == "placeholder_left"
    signature = adjudicate(
        image_id=film.pk, user=lead, choice="own", conclusion="normal", text="\x07one\r\ntwo "
    )
    assert signature.text == "one\ntwo"
    assert "one\ntwo" in Report.objects.get(signature=signature).text


# --- line ends

LINES = "\r\n".join(["x" * 99] * 40)  # 3999 characters as the browser counts, 4038 as it sends


def test_a_line_end_counts_once_in_every_form() -> None:
    for form in (
        AddendumForm({"text": LINES}),
        SignForm({"conclusion": "normal", "text": LINES}),
        AdjudicationForm({"choice": "own", "conclusion": "normal", "text": LINES}),
        CriticalForm({"text": "\r\n".join(["x" * 99] * 10), "on_call_id": "1"}),
    ):
        assert form.is_valid(), form.errors
        assert "\r" not in form.cleaned_data["text"]
    assert not AddendumForm({"text": LINES + "xx"}).is_valid()


def test_an_addendum_of_full_length_is_kept(film: Image, reader: User) -> None:
    sign_film(image_id=film.pk, user=reader, conclusion="normal")
    answer = as_user(reader).post(f"/films/{film.pk}/addenda/", {"text": LINES}, **HTMX)
    assert answer.status_code == 200
    addenda.add(image_id=film.pk, user=reader, text=LINES)
    assert {row.text for row in Addendum.objects.all()} == {LINES.replace("\r\n", "\n")}


# --- the badge of a film that was read already


@pytest.mark.parametrize("state", [None, *RunState.values])
def test_the_state_of_a_film_is_that_of_its_number(
    version: DetectorVersion, reader: User, state: str | None
) -> None:
    make_run(make_image(), version, "queued")
    image = make_image()
    if state:
        boxes = (("covid", 0.9), ("normal", 0.8)) if state == "done" else ()
        make_run(image, make_version("retired"), "failed", reason="an older one")
        make_run(image, version, state, boxes=boxes)
    film = selectors.film(image_id=image.pk, user=reader)
    assert selectors.state_of(film) == selectors.film_state(image.pk, user=reader)
    blind(reader)
    hidden = selectors.state_of(selectors.film(image_id=image.pk, user=reader))
    assert (hidden.state, hidden.run_id, hidden.findings, hidden.ended) == (
        "hidden", None, None, True
    )  # fmt: skip
