"""The report: drafted, kept while it is written, frozen by the signature."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from accounts.permissions import Role
from detection.models import DetectorVersion, Signature
from detection.services import claims, reviews, sign
from imaging import pixels
from imaging.frame import Spacing
from imaging.models import Image
from patients.models import Patient
from reading import report_content
from reading.models import Report, ReportDraft
from reading.selectors_report import document, draft_of
from reading.services import addenda, report_draft, report_sign, report_write
from tests.detection.factories import make_device, make_image, make_run, make_user
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

pytestmark = pytest.mark.django_db
JSON = "application/json"
BOXES = (("covid", 0.91, 20, 30, 100, 120), ("pneumonia", 0.8, 250, 30, 60, 60), ("normal", 0.6))


@pytest.fixture
def film(version: DetectorVersion, monkeypatch: pytest.MonkeyPatch) -> Image:
    monkeypatch.setattr(pixels, "spacing", lambda image: Spacing(0.5, 0.25, "detector"))
    patient = Patient.objects.create(identifier="P-77", name="Roe^Jane")
    earlier = make_image(patient, acquired_at=timezone.now() - timedelta(days=400))
    sign.sign(image_id=earlier.pk, user=make_user(), conclusion="normal")
    image = make_image(patient, device=make_device(serial="SN-1", name="XR-1"))
    make_run(image, version, boxes=BOXES)
    return image


def judge(film: Image, reader: User) -> None:
    """Accept the first, reject the second, draw one."""
    first, second, _ = film.runs.get().findings.all()
    reviews.record(finding_id=first.pk, user=reader, verdict="accept")
    reviews.record(finding_id=second.pk, user=reader, verdict="reject", reason_code="artefact")
    box = (300, 100, 40, 20)
    reviews.record(image_id=film.pk, user=reader, verdict="add", label="pneumonia", box=box)


def texts(film: Image, user: User) -> dict[str, str]:
    return {s["key"]: s["text"] for s in draft_of(film.pk, user).sections}


def as_user(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def test_the_draft_holds_what_stands_after_the_verdicts(film: Image, reader: User) -> None:
    assert texts(film, reader)["findings"] == (
        "No finding is marked.\nNot judged by the reader: 2 boxes of the model."
    )
    judge(film, reader)
    said = texts(film, reader)
    assert said["findings"].splitlines() == [
        (
            "1. COVID-19, left of the picture, box 25 x 60 mm (in the detector's plane, anatomy is "
            "smaller), model's score 0.91, accepted by the reader."
        ),
        (
            "+1. pneumonia, right of the picture, box 10 x 10 mm (in the detector's plane, anatomy "
            "is smaller), drawn by the reader."
        ),
    ]
    assert said["technique"].startswith(
        "DX, PA view. Machine: XR-1 (Acme Ray, serial SN-1). Taken "
    )
    assert said["technique"].endswith(" UTC.")
    assert said["comparison"].endswith(", DX, PA view (normal).")


def test_times_are_those_of_the_hospitals_zone(film: Image, reader: User) -> None:
    with timezone.override("Asia/Kathmandu"):
        local = timezone.localtime(film.acquired_at)
        assert f"{local:%H:%M} +0545" in texts(film, reader)["technique"]


def test_a_changed_class_is_told_with_the_models(film: Image, reader: User) -> None:
    first = film.runs.get().findings.first()
    reviews.record(finding_id=first.pk, user=reader, verdict="edit", label="pneumonia")
    assert "1. pneumonia, left" in texts(film, reader)["findings"]
    assert "changed by the reader (model: COVID-19)." in texts(film, reader)["findings"]


def test_a_film_that_is_away_has_no_sizes(version: DetectorVersion, reader: User) -> None:
    image = make_image()
    make_run(image, version, boxes=BOXES)
    judge(image, reader)
    assert "mm" not in texts(image, reader)["findings"]


def test_own_words_stay_when_a_verdict_changes_the_rest(film: Image, reader: User) -> None:
    report_draft.keep(
        image_id=film.pk, user=reader, sections={"impression": "Mine."}, conclusion="abnormal"
    )
    judge(film, reader)
    found = draft_of(film.pk, reader)
    rows = {s["key"]: s for s in found.sections}
    assert (rows["impression"]["text"], rows["impression"]["edited"]) == ("Mine.", True)
    assert rows["impression"]["drafted"] == "Abnormal: COVID-19, pneumonia."
    assert "accepted by the reader" in rows["findings"]["text"]


def test_a_draft_is_its_readers_and_its_revision_goes_up(
    film: Image, reader: User, other: User
) -> None:
    first = report_draft.keep(image_id=film.pk, user=reader, sections={"findings": " a\r\nb\0 "})
    assert (first.revision, first.sections) == (1, {"findings": "a\nb"})
    second = report_draft.keep(
        image_id=film.pk, user=reader, sections={"findings": "c"}, revision=1
    )
    assert (second.pk, second.revision) == (first.pk, 2)
    assert draft_of(film.pk, other).revision == 0
    report_draft.keep(image_id=film.pk, user=other, sections={"findings": "theirs"})
    assert texts(film, reader)["findings"] == "c"
    rows = AuditEntry.objects.filter(verb="drafted_report").order_by("pk")
    assert [r.actor for r in rows] == [reader, other]


def test_a_second_tab_is_told_and_a_repeat_is_not(film: Image, reader: User) -> None:
    def keep(text: str, revision: int) -> ReportDraft:
        sections = {"findings": text}
        return report_draft.keep(
            image_id=film.pk, user=reader, sections=sections, revision=revision
        )

    keep("first", 0)
    assert keep("first", 0).revision == 1  # the answer was lost, and it is sent again
    with pytest.raises(ConflictError) as caught:
        keep("of another tab", 0)
    assert (caught.value.code, caught.value.extra) == ("stale_draft", {"revision": 1})
    assert ReportDraft.objects.get().sections == {"findings": "first"}


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"sections": {"nonsense": "x"}}, "bad_section"),
        ({"sections": {"findings": "x" * 4001}}, "text_too_long"),
        ({"sections": {}, "conclusion": "fine"}, "bad_conclusion"),
    ],
)
def test_bad_drafts(film: Image, reader: User, fields: dict[str, Any], code: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        report_draft.keep(image_id=film.pk, user=reader, **fields)
    assert caught.value.code == code
    assert not ReportDraft.objects.exists()


def test_a_signed_film_takes_no_draft_but_keeps_the_one_of_another(
    film: Image, reader: User, other: User
) -> None:
    report_draft.keep(image_id=film.pk, user=reader, sections={"findings": "mine"})
    report_draft.keep(image_id=film.pk, user=other, sections={"findings": "theirs"})
    report_sign.sign_film(image_id=film.pk, user=reader, conclusion="normal")
    assert [d.by for d in ReportDraft.objects.all()] == [other]
    assert "theirs" in as_user(other).get(f"/films/{film.pk}/").content.decode()
    assert "theirs" not in as_user(reader).get(f"/films/{film.pk}/").content.decode()
    with pytest.raises(ConflictError) as caught:
        report_draft.keep(image_id=film.pk, user=other, sections={"findings": "more"}, revision=1)
    assert caught.value.code == "signed"


def test_the_signature_freezes_what_stood(film: Image, reader: User) -> None:
    judge(film, reader)
    signed = report_sign.sign_film(
        image_id=film.pk, user=reader, conclusion="abnormal", sections={"findings": "My words."}
    )
    report = Report.objects.get()
    assert signed.report == report
    assert (report.signature, report.by, report.by_name) == (signed.signature, reader, "reader")
    assert report.at == signed.signature.at
    content = report.content
    assert report.sha256 == report_content.sha256(content)
    assert content["patient"]["name"] == "Roe^Jane"
    assert [f["number"] for f in content["findings"]] == ["1", "+1"]
    rows = {s["key"]: s for s in content["sections"]}
    assert rows["findings"]["text"] == "My words."
    assert "accepted by the reader" in rows["findings"]["drafted"]
    assert rows["impression"]["text"] == "Abnormal: COVID-19, pneumonia."
    assert "Findings\nMy words." in report.text
    Patient.objects.update(name="Other^Name")
    assert document(film.pk, reader).content["patient"]["name"] == "Roe^Jane"
    entry = AuditEntry.objects.get(verb="wrote_report")
    assert entry.detail["sha256"] == report.sha256
    assert entry.patient_ref == film.series.study.patient_id


def test_no_row_of_it_can_be_changed_or_deleted(film: Image, reader: User) -> None:
    report_sign.sign_film(image_id=film.pk, user=reader, conclusion="normal")
    with pytest.raises(DatabaseError), transaction.atomic():
        Report.objects.update(text="nothing")
    with pytest.raises(DatabaseError), transaction.atomic():
        Report.objects.all().delete()
    assert document(film.pk, reader).intact


def test_a_repeat_makes_one_signature_and_one_report(film: Image, reader: User) -> None:
    first = report_sign.sign_film(image_id=film.pk, user=reader, conclusion="normal", text="a")
    again = report_sign.sign_film(image_id=film.pk, user=reader, conclusion="abnormal", text="b")
    assert (first.created, again.created) == (True, False)
    assert (again.signature, again.report) == (first.signature, first.report)
    assert Report.objects.get().content["conclusion"] == "normal"


def test_what_goes_wrong_after_the_signature_takes_it_back(
    film: Image, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no room")

    monkeypatch.setattr(report_write, "content_of", broken)
    with pytest.raises(RuntimeError):
        report_sign.sign_film(image_id=film.pk, user=reader, conclusion="normal")
    assert not Signature.objects.filter(image=film).exists()
    assert not AuditEntry.objects.filter(verb="signed", object_id=str(film.pk)).exists()


def test_the_rules_of_the_signature_hold(film: Image, reader: User, other: User) -> None:
    claims.claim(image_id=film.pk, user=other)
    with pytest.raises(ConflictError) as caught:
        report_sign.sign_film(image_id=film.pk, user=reader, conclusion="normal")
    assert caught.value.code == "claimed"
    assert not Report.objects.exists()


def test_a_placeholder_that_nobody_filled_in_is_no_report(film: Image, reader: User) -> None:
    with pytest.raises(InvalidInputError) as caught:
        report_sign.sign_film(
            image_id=film.pk, user=reader, conclusion="normal", text="Opacity {side}."
        )
    assert caught.value.code == "placeholder_left"
    assert report_sign.sign_film(
        image_id=film.pk, user=reader, conclusion="normal", text="{no placeholder}"
    ).created


def test_each_addendum_is_a_version_with_a_hash_of_its_own(
    film: Image, reader: User, other: User
) -> None:
    report_sign.sign_film(image_id=film.pk, user=reader, conclusion="normal", text="Clear.")
    addenda.add(image_id=film.pk, user=other, text="A nodule.")
    addenda.add(image_id=film.pk, user=reader, text="Agreed.")
    found = document(film.pk, other)
    assert [(v.number, v.what, v.by_name) for v in found.versions] == [
        (0, "drafted from the facts", ""),
        (1, "signed", "reader"),
        (2, "addendum", "Dr Other"),
        (3, "addendum", "reader"),
    ]
    assert found.current.sections[-2:] == [
        ("Addendum 1", "A nodule."),
        ("Addendum 2", "Agreed."),
    ]
    hashes = [v.sha256 for v in found.versions]
    assert hashes[0] == ""
    assert hashes[1] == Report.objects.get().sha256
    assert len(set(hashes)) == 4
    with pytest.raises(NotFoundError):
        found.version(4)


def test_a_signature_from_before_reports_were_kept_has_a_document(
    film: Image, reader: User
) -> None:
    sign.sign(image_id=film.pk, user=reader, conclusion="normal", text="Old words.")
    found = document(film.pk, reader)
    assert (found.kept, found.intact, found.current.sha256) == (False, True, "")
    assert dict(found.current.sections)["Impression"] == "Old words."
    html = as_user(reader).get(f"/images/{film.pk}/report/").content.decode()
    assert "Signed before reports were kept" in html
    again = report_sign.sign_film(image_id=film.pk, user=reader, conclusion="normal")
    assert (again.created, again.report) == (False, None)


# --- page


def test_the_page_signs_own_words_and_drafts_the_rest(film: Image, reader: User) -> None:
    client = as_user(reader)
    judge(film, reader)
    base = texts(film, reader)
    sent = {
        "conclusion": "abnormal",
        "findings": base["findings"].replace("\n", "\r\n"),
        "base_findings": base["findings"].replace("\n", "\r\n"),
        "technique": "Lying down.",
        "base_technique": base["technique"],
        "text": "Pneumonia.",
        "base_text": "",
    }
    answer = client.post(f"/films/{film.pk}/sign/", sent, HTTP_HX_REQUEST="true")
    assert answer.status_code == 200
    rows = {s["key"]: s for s in Report.objects.get().content["sections"]}
    edited = {key: row["text"] for key, row in rows.items() if row["edited"]}
    assert edited == {"technique": "Lying down.", "impression": "Pneumonia."}
    assert "Lying down." in answer.content.decode()


def test_a_stale_page_doesnt_sign_the_findings_of_before(film: Image, reader: User) -> None:
    before = texts(film, reader)["findings"]
    judge(film, reader)
    sent = {"conclusion": "normal", "findings": before, "base_findings": before}
    assert as_user(reader).post(f"/films/{film.pk}/sign/", sent).status_code == 302
    rows = {s["key"]: s["text"] for s in Report.objects.get().content["sections"]}
    assert "accepted by the reader" in rows["findings"]


def test_a_refused_signature_gives_the_text_back(film: Image, reader: User) -> None:
    client = as_user(reader)
    sent = {"conclusion": "normal", "findings": "<b>mine</b>", "text": "{side}"}
    answer = client.post(f"/films/{film.pk}/sign/", sent, HTTP_HX_REQUEST="true")
    html = answer.content.decode()
    assert (answer.status_code, answer["X-Swap-Error"]) == (400, "yes")
    assert "Fill in {side} first" in html
    assert "&lt;b&gt;mine&lt;/b&gt;" in html
    assert "<b>mine" not in html
    assert not Signature.objects.filter(image=film).exists()


def test_after_a_new_sign_in_the_draft_is_there(film: Image, reader: User) -> None:
    client = as_user(reader)
    address = f"/api/v1/images/{film.pk}/report/draft/"
    body = {"revision": 0, "conclusion": "abnormal", "sections": {"findings": "half a th"}}
    assert client.put(address, body, content_type=JSON).status_code == 200
    client.logout()
    lost = client.put(address, body | {"revision": 1}, content_type=JSON)
    assert lost.status_code == 401
    html = as_user(reader).get(f"/films/{film.pk}/").content.decode()
    assert ">half a th</textarea>" in html
    assert 'data-revision="1"' in html
    assert 'value="abnormal" required checked' in html
    assert "half a th" not in as_user(make_user()).get(f"/films/{film.pk}/").content.decode()


def test_the_document_shows_versions_and_what_differs(film: Image, reader: User) -> None:
    client = as_user(reader)
    address = f"/images/{film.pk}/report/"
    draft = client.get(address).content.decode()
    assert "draft, not signed" in draft
    report_sign.sign_film(
        image_id=film.pk,
        user=reader,
        conclusion="normal",
        sections={"comparison": "<i>None</i> x."},
    )
    addenda.add(image_id=film.pk, user=reader, text="<script>alert(1)</script>")
    html = client.get(address, {"from": 0, "to": 2}).content.decode()
    assert '<ins><span class="mark">[+</span>&lt;i&gt;None&lt;/i&gt;' in html
    assert "<del>" in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html
    assert Report.objects.get().sha256 in html
    for query, status in (("?from=0&to=9", 404), ("?from=x&to=1", 200), ("?from=1", 200)):
        assert client.get(address + query).status_code == status
    assert AuditEntry.objects.filter(verb="viewed_report", actor=reader).count() >= 3


# --- REST


def test_rest_signs_with_sections_or_text_alone(film: Image, reader: User) -> None:
    client = as_user(reader)
    address = f"/api/v1/images/{film.pk}/sign/"
    bad = client.post(address, {"conclusion": "normal", "sections": {"findings": 1e400}}, JSON)
    assert bad.status_code == 400
    made = client.post(address, {"conclusion": "normal", "text": "Clear lungs."}, JSON)
    report = Report.objects.get()
    assert (made.status_code, made.json()["report"]) == (201, report.pk)
    again = client.post(address, {"conclusion": "normal"}, JSON)
    assert (again.status_code, again.json()) == (200, made.json())
    body = client.get(f"/api/v1/images/{film.pk}/report/").json()
    assert (body["signed"], body["version"], body["intact"]) == (True, 1, True)
    rows = {s["key"]: s for s in body["sections"]}
    assert (rows["impression"]["text"], rows["impression"]["edited"]) == ("Clear lungs.", True)
    assert rows["findings"]["text"].startswith("No finding is marked.")
    assert "Roe" not in str(body)


def test_rest_draft_and_the_stale_revision(film: Image, reader: User) -> None:
    client = as_user(reader)
    address = f"/api/v1/images/{film.pk}/report/draft/"
    assert client.get(address).json()["revision"] == 0
    body = {"revision": 0, "sections": {"findings": "mine"}}
    assert client.put(address, body, JSON).json()["revision"] == 1
    stale = client.put(address, {"revision": 0, "sections": {"findings": "x"}}, JSON)
    assert (stale.status_code, stale.json()["code"]) == (409, "stale_draft")
    assert "mine" not in str(stale.json())  # the text comes with a read of the draft, audited
    rows = {s["key"]: s for s in client.get(address, {"conclusion": "normal"}).json()["sections"]}
    assert rows["findings"]["text"] == "mine"
    assert rows["impression"]["text"] == "Normal film."
    assert client.get(f"/api/v1/images/{10**9}/report/draft/").status_code == 404


def test_nobody_but_readers_sees_a_report(film: Image) -> None:
    for role in (Role.ENGINEER, Role.ADMIN):
        client = as_user(make_user(role))
        for address in (
            f"/images/{film.pk}/report/",
            f"/images/{film.pk}/report.pdf",
            f"/api/v1/images/{film.pk}/report/",
            f"/api/v1/images/{film.pk}/report.pdf",
            f"/api/v1/images/{film.pk}/report/draft/",
            f"/api/v1/images/{film.pk}/text-blocks/",
        ):
            assert client.get(address).status_code == 403, (role, address)
