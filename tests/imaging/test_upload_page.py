"""The upload page as a browser sees it, with and without script."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from imaging.models import Image, Intake

from .factories import make_dicom, make_picture
from .test_zips import make_zip

pytestmark = pytest.mark.django_db
HTML = '<img src=x onerror="alert(1)">'


def file(data: bytes, name="film.dcm") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data)


@pytest.fixture
def page(client, clinician):
    client.force_login(clinician)
    return client


@pytest.fixture
def post(page):
    def send(*files, script=True, **fields):
        headers = {"X-Upload": "1"} if script else {}
        return page.post(
            reverse("imaging:upload"), {"file": list(files), **fields}, headers=headers
        )

    return send


def test_the_empty_page_says_what_to_do(page):
    html = page.get("/upload/").content.decode()
    assert "Drop films" in html
    assert "You have sent no files yet" in html
    assert "js/upload.js" in html


def test_one_file_by_script_answers_its_row(post):
    answer = post(file(make_dicom()))
    image = Image.objects.get()
    html = answer.content.decode()
    assert answer.status_code == 200
    assert html.count("<tr") == 1
    assert 'data-outcome="stored"' in html
    assert f'hx-get="/films/{image.pk}/state/"' in html
    assert "<html" not in html


@pytest.mark.parametrize(
    ("data", "fields", "outcome", "words"),
    [
        (b"hello", {}, "refused", "neither DICOM nor PNG"),
        (make_dicom(patient_id=None), {}, "refused", "patient number is missing"),
        (make_picture(), {"patient_id": "P1", "device": "XR-1"}, "stored", "state"),
    ],
)
def test_rows_of_all_kinds(post, data, fields, outcome, words):
    html = post(file(data), **fields).content.decode()
    assert f'data-outcome="{outcome}"' in html
    assert words in html


def test_duplicates_and_quarantine(post):
    data = make_dicom(sop_uid="1.2.3")
    post(file(data))
    assert 'data-outcome="duplicate"' in post(file(data)).content.decode()
    html = post(file(make_dicom(sop_uid="1.2.3"))).content.decode()
    assert 'data-outcome="quarantined"' in html
    assert reverse("imaging:quarantine") in html


def test_a_film_that_cannot_be_shown_offers_its_file(post):
    html = post(file(make_dicom(HighBit=15))).content.decode()
    image = Image.objects.get()
    assert "cannot be shown" in html
    assert reverse("image-original", args=[image.pk]) in html
    assert "hx-get" not in html


def test_a_zip_answers_a_row_per_member(post):
    data = make_zip({"a.dcm": make_dicom(), "b.txt": b"no"})
    html = post(file(data, "films.zip")).content.decode()
    assert html.count("data-outcome") == 2
    assert "films.zip/a.dcm" in html


def test_a_long_zip_points_at_the_list(post, monkeypatch):
    monkeypatch.setattr("imaging.views._SHOWN_AT_ONCE", 2)
    html = post(file(make_zip({f"{n}.txt": b"no" for n in range(5)}))).content.decode()
    assert html.count("data-outcome") == 2
    assert "and 3 more" in html


def test_without_script_the_page_comes_back_with_words(post, page):
    answer = post(file(make_dicom()), file(b"no", "no.txt"), script=False)
    assert (answer.status_code, answer["Location"]) == (302, "/upload/")
    html = page.get("/upload/").content.decode()
    assert "1 of 2 files are stored" in html
    assert "no.txt: This is neither" in html
    answer = post(script=False)
    assert "No file was chosen" in page.get("/upload/").content.decode()


def test_the_page_remembers_and_filters(page, post, django_assert_max_num_queries):
    for _ in range(3):
        post(file(make_dicom()))
    post(file(b"no"))
    html = page.get("/upload/").content.decode()
    assert html.count("data-outcome") == 4
    assert "4 files you sent" in html
    html = page.get("/upload/?outcome=refused").content.decode()
    assert html.count("data-outcome") == 1
    assert page.get("/upload/?outcome=nonsense&page=99").status_code == 200
    fragment = page.get("/upload/status/").content.decode()
    assert "<html" not in fragment
    assert fragment.count("data-outcome") == 4
    with django_assert_max_num_queries(8):
        page.get("/upload/")


def test_pages_of_a_long_list(page, clinician):
    Intake.objects.bulk_create(
        Intake(filename=f"{n}.dcm", door="browser", outcome="refused", by=clinician)
        for n in range(120)
    )
    assert page.get("/upload/").content.decode().count("data-outcome") == 50
    assert page.get("/upload/?page=3").content.decode().count("data-outcome") == 20


def test_nobody_sees_the_files_of_others(post, client, django_user_model):
    post(file(make_dicom(), "secret.dcm"))
    other = django_user_model.objects.create_user("other", password="x", role="clinician")
    client.force_login(other)
    assert "secret.dcm" not in client.get("/upload/").content.decode()


def test_names_are_text(post, page):
    post(file(b"no", HTML))
    html = page.get("/upload/").content.decode()
    assert HTML not in html
    assert "&lt;img" in html


def test_no_csrf_token(clinician):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(clinician)
    answer = strict.post("/upload/", {"file": file(make_dicom())}, headers={"Accept": "text/html"})
    assert answer.status_code == 403
    assert not Image.objects.exists()


def test_the_token_opens_the_door(clinician):
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(clinician)
    strict.get("/upload/")
    token = strict.cookies["csrftoken"].value
    answer = strict.post(
        "/upload/", {"file": file(make_dicom())}, headers={"X-CSRFToken": token, "X-Upload": "1"}
    )
    assert answer.status_code == 200
    assert Image.objects.count() == 1


def test_a_request_beyond_the_cap_is_refused_unread(page, settings):
    settings.MAX_REQUEST_BYTES = 1000
    answer = page.post(
        "/upload/",
        {"file": file(b"x" * 2_000_000)},
        headers={"Accept": "application/json", "X-Upload": "1"},
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == "request_too_large"
    assert not Intake.objects.exists()


@pytest.mark.parametrize("path", ["/upload/", "/upload/status/"])
def test_other_roles(client, engineer, admin, path):
    assert client.get(path).status_code == 302
    for user in (engineer, admin):
        client.force_login(user)
        assert client.get(path).status_code == 403
    assert client.post("/upload/", {"file": file(make_dicom())}).status_code == 403
    assert not Image.objects.exists()


def test_a_full_disk_is_a_row_not_a_crash(post, monkeypatch):
    import errno
    import os

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    html = post(file(make_dicom())).content.decode()
    monkeypatch.undo()
    assert 'data-outcome="refused"' in html
    assert "disk is full" in html


def test_a_row_is_shown_even_if_the_database_could_not_keep_it(post, monkeypatch):
    from django.db import DatabaseError

    def broken(**_):
        raise DatabaseError("full")

    monkeypatch.setattr("imaging.services.ingest.Intake.objects.create", broken)
    html = post(file(b"no", "no.txt")).content.decode()
    assert "no.txt" in html
    assert 'data-outcome="refused"' in html
