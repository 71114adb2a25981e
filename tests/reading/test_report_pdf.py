"""The report as PDF: what stands in it, for hostile text and names in any script."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection.models import DetectorVersion
from detection.services import reviews
from imaging.decoding import client as decoders
from imaging.models import Image
from patients.models import Patient
from reading.models import OnCallList
from reading.services import addenda, critical, report_draft, report_sign
from tests.browser.films import MARK, read_film
from tests.detection.factories import make_image, make_run, make_user
from tests.reading.pdf_text import Pdf
from twinhealth.web import pdf_fonts

pytestmark = pytest.mark.django_db


@pytest.fixture
def film(version: DetectorVersion) -> Image:
    patient = Patient.objects.create(
        identifier="P-77", name="Müller^Иван=山田^太郎", is_synthetic=True
    )
    image = make_image(patient, is_demo=True)
    make_run(image, version, boxes=(("covid", 0.91, 20, 30, 100, 120),))
    return image


def fetched(image: Image, user: User, prefix: str = "") -> Pdf:
    client = Client()
    client.force_login(user)
    answer = client.get(f"{prefix}/images/{image.pk}/report.pdf")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Cache-Control"] == "private, no-store"
    return Pdf(answer.content)


def words(pdf: Pdf) -> str:
    return " ".join(" ".join(pdf.pages).split())


@pytest.mark.parametrize("prefix", ["", "/api/v1"])
def test_a_draft_says_so_across_each_page(
    film: Image, reader: User, settings: Any, prefix: str
) -> None:
    settings.HOSPITAL_NAME = "Spital <b>Süd</b> & Co"
    report_draft.keep(image_id=film.pk, user=reader, sections={"findings": "long\n" * 200})
    found = fetched(film, reader, prefix)
    assert len(found.pages) > 2
    for number, page in enumerate(found.pages, start=1):
        assert page.startswith("draft, not signed")
        assert "Spital <b>Süd</b> & Co" in page
        assert "Müller, Иван · P-77 · born unknown" in page
        assert f"page {number} of {len(found.pages)}" in page
    assert "SYNTHETIC PATIENT · DEMO FILM" in words(found)
    assert AuditEntry.objects.get(verb="exported_report").detail == {"version": 1, "signed": False}


def test_the_signed_one_holds_it_all(film: Image, reader: User, other: User) -> None:
    finding = film.runs.get().findings.get()
    reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    on_call = OnCallList.objects.create(name="Thorax")
    on_call.steps.create(position=1, user=other, minutes=5)
    told = critical.report(image_id=film.pk, user=reader, text="free air", on_call_id=on_call.pk)
    critical.acknowledge(result_id=told.pk, user=other, read_back="free air")
    report = report_sign.sign_film(image_id=film.pk, user=reader, conclusion="abnormal").report
    assert report
    addenda.add(image_id=film.pk, user=other, text="A nodule.")
    found = fetched(film, reader)
    said = words(found)
    assert "draft" not in said
    for part in (
        "Conclusion: abnormal",
        "1. COVID-19, left of the picture, model's score 0.91, accepted by the reader.",
        "Impression Abnormal: COVID-19.",
        "Addendum 1 A nodule. Dr Other, ",
        "Reported by reader, ",
        "Told Dr Other, ",
        "Read back by Dr Other, ",
        ": free air",
        "Signed by reader, ",
        f"Version 1: signed, reader, {timezone.localtime(report.at):%-d %b %Y %H:%M} UTC",
        "Version 2: addendum, Dr Other",
        report.sha256,
    ):
        assert part in said, part
    # UTF-16 where a name needs it; the viewer's title and the reader aloud's language
    assert b"/Lang (en-GB)" in found.data
    assert f"/Title (Report of film {film.pk}, version 2, patient P-77)".encode() in found.data


def test_what_looks_like_markup_is_text(film: Image, reader: User) -> None:
    hostile = '<img src="file:///etc/passwd"/><b>x</b> & <br/> </para> <font color="red">\n\tend'
    report_sign.sign_film(
        image_id=film.pk, user=reader, conclusion="normal", sections={"findings": hostile}
    )
    said = words(fetched(film, reader))
    assert '<img src="file:///etc/passwd"/><b>x</b> & <br/> </para> <font color="red">' in said


def test_what_has_no_letter_is_a_box_and_is_said(film: Image, reader: User) -> None:
    text = "Ελλ Ёж Ł ħ é e\N{COMBINING ACUTE ACCENT} 山田 שלום عربي 😀 x\u202ey\x07z"
    Patient.objects.update(name="山田^太郎")
    report_sign.sign_film(image_id=film.pk, user=reader, conclusion="normal", text=text)
    said = words(fetched(film, reader))
    assert "Ελλ Ёж Ł ħ é é □□ □□□□ □□□□ □ x□yz" in said
    assert "□□, □□ · P-77" in said
    assert "a character that this PDF can't show" in said


def test_without_matplotlib_the_latin_font_serves(
    film: Image, reader: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    pdf_fonts.register.cache_clear()
    monkeypatch.setattr(pdf_fonts, "find_spec", lambda name: None)
    try:
        said = words(fetched(film, reader))
    finally:
        pdf_fonts.register.cache_clear()
    assert "Müller, ???? · P-77" in said or "Müller, □□□□ · P-77" in said


def test_a_film_whose_picture_is_away_still_has_its_report(film: Image, reader: User) -> None:
    report_sign.sign_film(image_id=film.pk, user=reader, conclusion="normal")
    said = words(fetched(film, reader))
    assert "The film can't be shown here: The film's file isn't in the archive." in said


def test_the_picture_carries_the_boxes(
    version: DetectorVersion, reader: User, settings: Any, tmp_path: Path
) -> None:
    settings.MEDIA_ROOT, settings.PIXEL_CACHE_ROOT = tmp_path / "media", tmp_path / "cache"
    try:
        version.state = "candidate"  # what was found is written here, not by a worker
        version.save()
        image, run = read_film(version, ("covid", 0.91, *MARK), ("pneumonia", 0.8, 250, 60, 80, 90))
        first, second = run.findings.all()
        reviews.record(finding_id=first.pk, user=reader, verdict="accept")
        reviews.record(finding_id=second.pk, user=reader, verdict="reject", reason_code="artefact")
        found = fetched(image, reader)
    finally:
        decoders.close_pool()
    said = words(found)
    assert "1 COVID-19 As the film is stored" in said
    assert "2 pneumonia" not in said
    assert re.search(rb"/Subtype /Image", found.data)
    assert re.search(rb"/Width 400", found.data)


def test_an_early_birth_date_and_a_long_name_fit(film: Image, reader: User) -> None:
    Patient.objects.update(
        name="W" * 64 + "^" + "M" * 64, birth_date=timezone.now().date() - timedelta(days=40000)
    )
    pages = fetched(film, make_user()).pages
    assert any("…" in page for page in pages)
