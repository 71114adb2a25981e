"""Exported sets: their download, pages and REST addresses."""

from __future__ import annotations

import zipfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from detection.detectors.coco import of_tier, read_coco
from detection.models import DatasetExport, DatasetVersion
from detection.services.dataset import export_dataset
from detection.services.dataset_exports import (
    execute_export,
    request_export,
    requeue_lost_exports,
)
from tests.detection.factories import Films
from twinhealth.errors import InvalidInputError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("kept")]


def content(response: Any) -> bytes:
    return b"".join(response.streaming_content)


# --- download


@pytest.mark.parametrize("address", ["/datasets/{}/download/", "/api/v1/datasets/{}/download/"])
def test_a_download_is_in_each_patients_trail(
    written: DatasetExport, browser: Client, admin: User, kept: Path, address: str
) -> None:
    response: Any = browser.get(
        address.format(written.version_id), headers={"accept": "application/zip"}
    )
    assert response.status_code == 200
    assert response.streaming
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"] == 'attachment; filename="site-1.zip"'
    assert response["Cache-Control"] == "no-store"
    assert content(response) == (kept / written.archive).read_bytes()
    assert written.version is not None
    image = written.version.films.get().image
    trail = AuditEntry.objects.filter(verb="downloaded")
    assert {e.actor_name for e in trail} == {admin.username}
    assert {(e.patient_ref, e.detail["films"]) for e in trail} == {
        (None, 1),
        (image.series.study.patient_id, 1),
    }


def test_no_zip(signed_film: Films, browser: Client, api: APIClient, tmp_path: Path) -> None:
    signed_film()
    version = export_dataset(folder=tmp_path / "by-command").version
    assert version is not None
    answer = api.get(f"/api/v1/datasets/{version.pk}/download/")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_archive")
    assert set(answer.json()) == {"code", "message", "extra"}
    assert api.get(f"/api/v1/datasets/{version.pk}/").json()["downloadable"] is False
    page = browser.get(f"/datasets/{version.pk}/").content.decode()
    assert "No zip of it is kept here" in page
    assert f"/datasets/{version.pk}/download/" not in page
    assert api.get("/api/v1/datasets/99/download/").json()["code"] == "no_such_dataset"
    assert not AuditEntry.objects.filter(verb="downloaded").exists()


@pytest.mark.parametrize("role", ["clinician", "engineer"])
def test_only_admins(role: str, written: DatasetExport) -> None:
    client = Client()
    client.force_login(User.objects.create_user(f"a-{role}", role=role))
    for path in (
        "/datasets/", f"/datasets/{written.version_id}/",
        f"/datasets/{written.version_id}/download/", "/api/v1/datasets/",
        f"/api/v1/datasets/{written.version_id}/download/",
        f"/api/v1/dataset-exports/{written.pk}/",
    ):  # fmt: skip
        assert client.get(path).status_code == 403, path
    for path in ("/datasets/export/", "/api/v1/datasets/"):
        assert client.post(path, {"name": "x"}).status_code == 403, path
    assert not AuditEntry.objects.filter(verb="downloaded").exists()
    assert DatasetExport.objects.count() == 1


# --- REST and pages


def test_rest(signed_film: Films, api: APIClient, admin: User) -> None:
    signed_film()
    made = api.post("/api/v1/datasets/", {"name": "ward-3"}, format="json")
    assert (made.status_code, made.json()["state"], made.json()["total"]) == (202, "queued", None)
    busy = api.post("/api/v1/datasets/", {}, format="json")
    assert (busy.status_code, busy.json()["code"]) == (409, "export_running")
    number = made.json()["id"]
    execute_export(export_id=number)
    done = api.get(f"/api/v1/dataset-exports/{number}/").json()
    assert (done["state"], done["done"], done["requested_by"]) == ("done", 1, admin.username)
    assert api.get("/api/v1/dataset-exports/", {"state": "done"}).json()["count"] == 1
    listed = api.get("/api/v1/datasets/", {"name": "ward-3"}).json()
    assert listed["count"] == 1
    one = api.get(f"/api/v1/datasets/{done['version']}/").json()
    assert one["downloadable"] is True
    assert list(one["counts"]["boxes_by_split_and_label"].values()) == [{"covid": 1}]
    assert listed["results"][0]["sha256"] == one["sha256"]


@pytest.mark.parametrize(
    ("body", "code"),
    [({"name": "../x"}, "bad_name"), ({"name": "a" * 65}, "invalid"), ({"name": ["x"]}, "invalid")],
)
def test_rest_says_what_is_wrong(api: APIClient, body: dict[str, Any], code: str) -> None:
    answer = api.post("/api/v1/datasets/", body, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert set(answer.json()) == {"code", "message", "extra"}
    assert not DatasetExport.objects.exists()


def test_the_page_asks_again_only_while_something_is_written(
    signed_film: Films, browser: Client
) -> None:
    empty = browser.get("/datasets/").content.decode()
    assert "No set has been written yet" in empty
    assert "every 2s" not in empty
    signed_film()
    assert browser.post("/datasets/export/", {"name": "site"})["Location"] == "/datasets/"
    export = DatasetExport.objects.get()
    assert "every 2s" in browser.get("/datasets/body/").content.decode()
    DatasetExport.objects.filter(pk=export.pk).update(
        state="running", lease_token="x", lease_until=timezone.now(), done=3, total=40
    )
    assert "writing, 3 of 40 films" in browser.get("/datasets/body/").content.decode()
    assert not DatasetExport.objects.filter(pk=export.pk, state="queued").exists()
    requeue_lost_exports(now=timezone.now() + timedelta(seconds=1))
    assert execute_export(export_id=export.pk)
    body = browser.get("/datasets/body/").content.decode()
    assert "every 2s" not in body
    assert f"/datasets/{DatasetVersion.objects.get().pk}/" in body


def test_a_version_says_what_is_in_it_and_what_is_not(
    signed_film: Films, admin: User, browser: Client
) -> None:
    hostile = "<script>alert(1)</script>"
    User.objects.filter(pk=admin.pk).update(display_name=hostile)
    signed_film()
    signed_film(burned_in="YES")
    signed_film(conclusion="not_readable")
    export = request_export(user=admin)
    assert execute_export(export_id=export.pk)
    version = DatasetVersion.objects.get()
    for path in ("/datasets/", f"/datasets/{version.pk}/"):
        page = browser.get(path).content.decode()
        assert hostile not in page
        assert version.sha256 in page
    assert "text may be burnt into the picture" in page
    assert "signed as not readable" in page
    assert f"/datasets/{version.pk}/download/" in page
    assert browser.get("/datasets/999999/").status_code == 404


def test_a_version_of_before_is_shown_too(browser: Client) -> None:
    version = DatasetVersion.objects.create(
        name="old", number=1, sha256="a" * 64, counts={"films": 2}, films_new=2, films_changed=0,
        films_gone=0,
    )  # fmt: skip
    assert "not counted" in browser.get(f"/datasets/{version.pk}/").content.decode()
    assert "the command line" in browser.get("/datasets/").content.decode()


@pytest.mark.parametrize("body", [{}, {"name": "a b"}, {"name": "x" * 65}])
def test_a_form_that_is_wrong(browser: Client, body: dict[str, str]) -> None:
    assert browser.post("/datasets/export/", body).status_code == 400
    assert not DatasetExport.objects.exists()


def test_films_say_whose_they_are(signed_film: Films, admin: User, kept: Path) -> None:
    signed_film()
    signed_film(attribution="Somebody, CC BY 4.0")
    export = request_export(user=admin)
    assert execute_export(export_id=export.pk)
    with zipfile.ZipFile(kept / "site-1.zip") as file:
        file.extractall(kept)
    films = read_coco(kept / "site-1" / "annotations.json", kept / "site-1" / "images")
    assert sorted(film.tier for film in films.films) == ["site", "stated"]
    assert [film.tier for film in of_tier(films, "site").films] == ["site"]
    for tier in ("open", "research"):  # nobody said that others may have them
        with pytest.raises(InvalidInputError) as caught:
            of_tier(films, tier)
        assert caught.value.code == "annotations_empty"
