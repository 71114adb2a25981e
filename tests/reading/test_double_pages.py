"""Double reading by page and REST: who sees what at which door, and what each form answers."""

from __future__ import annotations

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import User
from detection.models import DetectorVersion, Finding, Signature
from detection.services import claims, reviews
from imaging.models import Image
from reading.models import HelpRequest, IndependentRead
from reading.services import line, report_draft
from reading.services.report_sign import sign_film as sign
from tests.detection.factories import make_image, make_run, make_user
from tests.house import hospital
from tests.house.walking import N, doors
from tests.reading.film_doors import around, neighbours, said
from tests.reading.twice import read_twice

pytestmark = pytest.mark.django_db
HTMX = {"HTTP_HX_REQUEST": "true"}
TEXT, REASON, CALL = "CANARY-OF-THE-TEXT", "CANARY-OF-A-VERDICT", "CANARY-OF-A-CALL"
ANSWER, SECTION = "CANARY-OF-AN-ANSWER", "CANARY-OF-A-SECTION"
BOX = (11.25, 12.5, 33.75, 44.5)


def as_user(user: User) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(user)
    return client


@pytest.fixture
def film(version: DetectorVersion) -> Image:
    image = make_image()
    make_run(image, version, boxes=(("covid", 0.9),))
    return image


def read_first(image: Image, user: User) -> None:
    """With a text, a verdict, a drawn box and a call, each to be known again."""
    call = line.ask_help(image_id=image.pk, user=user, reason=CALL)
    line.answer_help(help_id=call.pk, user=make_user(), answer=ANSWER)
    finding = Finding.objects.filter(run__image=image).first()
    assert finding is not None
    reviews.record(
        finding_id=finding.pk, user=user, verdict="reject", reason_code="other", reason=REASON
    )
    reviews.record(image_id=image.pk, user=user, verdict="add", label="pneumonia", box=BOX)
    words = {"findings": SECTION}
    report_draft.keep(image_id=image.pk, user=user, sections=words)
    sign(image_id=image.pk, user=user, conclusion="abnormal", text=TEXT, sections=words)


def heard(user: User, near: tuple[Image, Image]) -> dict[str, set[str]]:
    """Canary to the doors at which this reader hears it."""
    client, found = as_user(user), {}
    paths = {door.path for door in doors() if door.method == "get"}
    paths |= {f"/worklist/?show={show}" for show in ("all", "help", "second_reading", "mine")}
    paths |= {f"/api/v1/worklist/?show={show}" for show in ("all", "help", "second_reading")}
    paths |= {f"/films/{N}/", f"/patients/{N}/films/"} | around(*near)
    for path in sorted(paths):
        answer = said(client, path)
        for canary in (TEXT, REASON, CALL, ANSWER, SECTION, "11.25", "44.50", "44.5,"):
            if canary in answer:
                found.setdefault(canary, set()).add(path)
    return found


def test_at_no_door_the_second_reader_hears_the_first(
    reader: User, other: User, lead: User
) -> None:
    hospital.build()
    HelpRequest.objects.all().delete()  # one open call per film
    read_twice("all")
    image = Image.objects.get(pk=N)
    near = neighbours()
    before = heard(other, near)
    read_first(image, reader)
    for user in (other, lead, make_user()):
        assert heard(user, near) == before == {}
    own = heard(reader, near)
    assert f"/films/{N}/" in own[TEXT]
    assert f"/api/v1/images/{N}/reads/" in own[TEXT]
    # the second reader differs: the lead hears both, nobody else does
    claims.claim(image_id=N, user=other)
    sign(image_id=N, user=other, conclusion="normal")
    assert heard(other, near) == heard(make_user(), near) == {}
    both = heard(lead, near)
    assert {f"/films/{N}/", f"/api/v1/images/{N}/reads/"} <= both[TEXT]
    assert f"/films/{N}/" in both["11.25"]
    # signed: the canaries sing, so the walk would have heard them
    answer = as_user(lead).post(f"/films/{N}/adjudicate/", {"choice": "first"})
    assert answer.status_code == 302
    after = heard(make_user(), near)
    assert {TEXT, REASON, CALL, ANSWER, SECTION, "11.25"} <= set(after)
    pages = {f"/films/{N}/", f"/images/{N}/report/", f"/images/{N}/report.pdf"}
    rest = {f"/api/v1/images/{N}/report/", f"/api/v1/images/{N}/report.pdf"}
    assert pages | rest <= after[TEXT] & after[SECTION]
    _, later = near
    assert f"/films/{later.pk}/beside/{N}/" in after["11.25"]
    assert "/api/v1/help/?state=answered" in after[CALL] & after[ANSWER]


def test_from_the_first_to_the_second_reader_by_page(
    film: Image, reader: User, other: User
) -> None:
    read_twice("all")
    one, two = as_user(reader), as_user(other)
    html = one.get(f"/films/{film.pk}/").content.decode()
    assert "What you sign is the first reading" in html
    sent = {"conclusion": "normal", "text": "<b>clear</b>", "then": "stay"}
    answer = one.post(f"/films/{film.pk}/sign/", sent, **HTMX).content.decode()
    assert "It waits for the second reader" in answer
    assert "&lt;b&gt;clear" in answer
    assert "<b>clear" not in answer
    assert 'id="findings"' in answer
    assert 'data-locked="yes"' in answer
    verdict = f"/films/{film.pk}/findings/{film.runs.get().findings.get().pk}/verdict/"
    late = one.post(verdict, {"verdict": "accept"}, **HTMX)
    assert late.status_code == 409
    assert "You have read this film" in late.content.decode()
    # in the lists of the first it is found in its queue alone
    for show in ("", "?show=all", "?show=flagged"):
        assert f"/films/{film.pk}/" not in one.get(f"/worklist/{show}").content.decode()
    queue = one.get("/worklist/?show=second_reading").content.decode()
    assert "waits for the second reader" in queue
    assert f"/films/{film.pk}/skip/" not in queue
    listed = two.get("/worklist/").content.decode()
    assert f"/films/{film.pk}/" in listed
    assert "second reading" in listed
    html = two.get(f"/films/{film.pk}/").content.decode()
    assert "You are the second reader" in html
    assert "clear" not in html.replace("clear: ", "")
    done = two.post(f"/films/{film.pk}/sign/", {"conclusion": "normal", "text": "ok"})
    assert (done.status_code, done["Location"]) == (302, f"/films/{film.pk}/")
    html = as_user(make_user()).get(f"/films/{film.pk}/").content.decode()
    assert "reader and Dr Other" in html
    assert "The two readings agreed" in html
    assert "&lt;b&gt;clear" in html


def test_sign_and_next_never_offers_what_one_has_read(
    film: Image, version: DetectorVersion, reader: User
) -> None:
    read_twice("all")
    page, target = as_user(reader), film
    more = make_image()
    make_run(more, version, boxes=(("covid", 0.8),))
    sent = {"conclusion": "normal", "then": "next"}
    moved = page.post(f"/films/{target.pk}/sign/", sent)
    assert moved["Location"] == f"/films/{more.pk}/"
    assert page.post(f"/films/{more.pk}/sign/", sent)["Location"] == "/worklist/"


def test_a_page_of_before_the_first_reading_starts_anew(
    film: Image, reader: User, other: User
) -> None:
    read_twice("all")
    page = as_user(other)
    reviews.record(
        finding_id=film.runs.get().findings.get().pk,
        user=other,
        verdict="reject",
        reason_code="other",
        reason="my own words",
    )
    sign(image_id=film.pk, user=reader, conclusion="abnormal")
    sent = {"conclusion": "normal"}
    answer = page.post(f"/films/{film.pk}/sign/", sent, **HTMX)
    html = answer.content.decode()
    assert answer.status_code == 409
    assert "yours is the second reading" in html
    assert 'id="findings"' in html
    assert "my own words" not in html
    assert page.post(f"/films/{film.pk}/sign/", sent, **HTMX).status_code == 200
    assert IndependentRead.objects.filter(image=film, position=2, reader=other).exists()


def test_a_lead_decides_by_page(film: Image, reader: User, other: User, lead: User) -> None:
    read_twice("all")
    sign(image_id=film.pk, user=reader, conclusion="abnormal", text="left")
    claims.claim(image_id=film.pk, user=other)
    sign(image_id=film.pk, user=other, conclusion="normal", text="none")
    page = as_user(lead)
    queue = page.get("/worklist/?show=adjudication").content.decode()
    assert f"/films/{film.pk}/" in queue
    assert "nobody to decide" not in queue
    html = page.get(f"/films/{film.pk}/").content.decode()
    for part in ("First reading", "Second reading", "Sign the decision", 'data-verdict="first"'):
        assert part in html
    address = f"/films/{film.pk}/adjudicate/"
    for body in ({}, {"choice": "own"}, {"choice": "fourth"}):
        wrong = page.post(address, body, **HTMX)
        assert (wrong.status_code, wrong["X-Swap-Error"]) == (400, "yes")
    for user in (reader, other):
        assert as_user(user).post(address, {"choice": "first"}).status_code == 403
    signed = page.post(address, {"choice": "own", "conclusion": "normal", "text": "ok"}, **HTMX)
    assert signed.status_code == 200
    html = signed.content.decode()
    assert "The two readings differed. Dr Lead signed an own report" in html
    assert Signature.objects.get().by == lead


def test_the_page_says_when_nobody_can_decide(film: Image, reader: User, other: User) -> None:
    read_twice("all")
    sign(image_id=film.pk, user=reader, conclusion="abnormal")
    claims.claim(image_id=film.pk, user=other)
    sign(image_id=film.pk, user=other, conclusion="normal")
    for user in (reader, other, make_user()):
        html = as_user(user).get(f"/films/{film.pk}/").content.decode()
        assert "no reading lead exists other than the film" in html
    html = as_user(reader).get("/worklist/?show=adjudication").content.decode()
    assert "One of these films has nobody to decide" in html


def test_counts_of_the_chips_leave_out_what_one_has_read(
    film: Image, reader: User, other: User
) -> None:
    read_twice("all")
    sign(image_id=film.pk, user=reader, conclusion="normal")

    def counts(user: User) -> dict[str, int]:
        chips = as_user(user).get("/worklist/").context["chips"]
        return {c["label"]: c["count"] for c in chips if c["count"] is not None}

    assert counts(reader)["flagged"] == counts(reader)["all unsigned"] == 0
    assert counts(other)["flagged"] == counts(other)["all unsigned"] == 1
    assert counts(reader)["second reading"] == counts(other)["second reading"] == 1
    assert counts(other)["adjudication"] == 0


def test_rest(film: Image, reader: User, other: User, lead: User) -> None:
    read_twice("all")
    api = APIClient()
    base = f"/api/v1/images/{film.pk}"
    reads = f"{base}/reads/"

    def as_(user: User) -> APIClient:
        api.force_authenticate(user)
        return api

    assert as_(reader).get(reads).data["phase"] == "first"
    body = {"conclusion": "abnormal", "text": "left"}
    done = as_(reader).post(f"{base}/sign/", body)
    assert (done.status_code, done.data["signature"]) == (201, None)
    number = done.data["read"]
    again = as_(reader).post(f"{base}/sign/", body)
    assert (again.status_code, again.data) == (
        200,
        {"signature": None, "read": number, "report": None},
    )
    rows = as_(reader).get("/api/v1/worklist/?show=all").data["results"]
    assert rows == []
    for show in ("all", "second_reading"):
        rows = as_(other).get(f"/api/v1/worklist/?show={show}").data["results"]
        assert len(rows) == 1
    assert as_(other).get(reads).data == {
        "phase": "second", "reads": [], "leads": [], "choice": None
    }  # fmt: skip
    early = as_(other).post(f"{base}/sign/", {"conclusion": "normal"})
    assert (early.status_code, early.data["code"]) == (409, "take_first")
    assert as_(reader).post(f"{base}/claim/").data["code"] == "already_read"
    assert as_(other).post(f"{base}/claim/").status_code == 200
    assert as_(other).post(f"{base}/sign/", {"conclusion": "normal"}).data["signature"] is None
    assert as_(reader).get(reads).data["leads"] == ["Dr Lead"]
    third = as_(make_user()).post(f"{base}/sign/", {"conclusion": "normal"})
    assert (third.status_code, third.data["code"]) == (409, "adjudication")
    found = as_(lead).get(reads).data
    assert [(r["by"], r["conclusion"]) for r in found["reads"]] == [
        ("reader", "abnormal"), ("Dr Other", "normal")
    ]  # fmt: skip
    assert found["reads"][0]["diseases"] == ["covid"]
    assert len(as_(lead).get("/api/v1/worklist/?show=adjudication").data["results"]) == 1
    assert as_(reader).post(f"{base}/adjudicate/", {"choice": "first"}).status_code == 403
    lacks = as_(lead).post(f"{base}/adjudicate/", {"choice": "own"})
    assert (lacks.status_code, lacks.data["code"]) == (400, "bad_conclusion")
    signed = as_(lead).post(f"{base}/adjudicate/", {"choice": "second"})
    assert signed.status_code == 201
    assert Signature.objects.get(pk=signed.data["signature"]).conclusion == "normal"
    assert as_(reader).get(reads).data["choice"] == "second"
    pairs = as_(lead).get("/api/v1/agreement/").data["readers"]
    assert [(p["one_name"], p["other_name"], p["one"]) for p in pairs["rows"]] == [
        ("reader", "Dr Other", 1)
    ]
    assert as_(reader).get("/api/v1/images/987654/reads/").status_code == 404


def test_the_agreement_page_has_the_pairs(film: Image, reader: User, other: User) -> None:
    User.objects.filter(pk=other.pk).update(display_name="<i>Dr Other</i>")
    other.refresh_from_db()
    read_twice("all")
    assert "No film was read by two readers" in as_user(reader).get("/agreement/").content.decode()
    sign(image_id=film.pk, user=reader, conclusion="normal")
    claims.claim(image_id=film.pk, user=other)
    sign(image_id=film.pk, user=other, conclusion="normal")
    html = as_user(reader).get("/agreement/").content.decode()
    assert "reader and &lt;i&gt;Dr Other" in html
    assert "<i>Dr Other" not in html
    assert "Dr Other" not in as_user(make_user()).get("/agreement/").content.decode()
