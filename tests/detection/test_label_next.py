"""What to label next: selector, page, REST, and REST of the exported sets."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import AuditEntry, User
from detection.models import DetectorVersion, RunState
from detection.selectors_labelling import candidates, label_next
from detection.services import reviews, sign
from detection.services.dataset import export_dataset
from imaging.models import Image
from tests.detection.factories import Films, make_device, make_image, make_run

pytestmark = pytest.mark.django_db


@pytest.fixture
def worth_it(version: DetectorVersion, reader: User) -> dict[str, Image]:
    """Films in every situation, named by it."""
    films = {}

    def film(name: str, score: float = 0.95, state: str = RunState.DONE) -> Image:
        image = make_image(device=device)
        make_run(image, version, state, boxes=(("covid", score),) if state == "done" else ())
        films[name] = image
        return image

    device = None
    film("sure")
    film("unread", state=RunState.QUEUED)
    film("doubt", 0.52)
    finding = film("rejected").runs.get().findings.get()
    reviews.record(finding_id=finding.pk, user=reader, verdict="reject")
    finding = film("changed my mind").runs.get().findings.get()
    reviews.record(finding_id=finding.pk, user=reader, verdict="reject")
    reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    finding = film("taken back").runs.get().findings.get()
    review = reviews.record(finding_id=finding.pk, user=reader, verdict="reject")
    reviews.withdraw(review_id=review.pk, user=reader)
    sign.sign(image_id=film("against").pk, user=reader, conclusion="normal")
    sign.sign(image_id=film("with").pk, user=reader, conclusion="abnormal")
    sign.sign(image_id=film("missed", 0.1).pk, user=reader, conclusion="abnormal")
    finding = film("settled").runs.get().findings.get()
    reviews.record(finding_id=finding.pk, user=reader, verdict="reject")
    sign.sign(image_id=films["settled"].pk, user=reader, conclusion="normal")
    device = make_device(name="XR-new")
    film("new")
    return films


def shown(films: dict[str, Image], why: str = "") -> list[str]:
    names = {image.pk: name for name, image in films.items()}
    return [names[row.image.pk] for row in label_next(why=why).rows]


def test_each_film_for_its_reason(worth_it: dict[str, Image]) -> None:
    assert shown(worth_it, "disagree") == ["rejected", "against", "missed"]
    assert shown(worth_it, "uncertain") == ["doubt"]
    assert shown(worth_it, "new_device") == ["new"]
    assert shown(worth_it) == ["rejected", "against", "missed", "doubt", "new"]
    assert shown(worth_it, "nonsense") == shown(worth_it)
    assert label_next().counts == {"": 5, "disagree": 3, "uncertain": 1, "new_device": 1}


def test_many_films_cost_as_many_queries_as_few(
    worth_it: dict[str, Image], version: DetectorVersion
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            label_next()
        return len(captured)

    few = queries()
    for _ in range(30):
        make_run(make_image(), version, boxes=(("covid", 0.5), ("pneumonia", 0.4)))
    assert queries() == few <= 6


def test_pages_hold_every_film_once(version: DetectorVersion) -> None:
    films = [make_image() for _ in range(7)]
    for image in films:
        make_run(image, version, boxes=(("covid", 0.5),))
    pages = [label_next(page=n, page_size=3).rows for n in (1, 2, 3)]
    assert [row.image.pk for rows in pages for row in rows] == [image.pk for image in films]
    assert len(candidates()) == 7


def test_the_page_says_why_and_leads_to_the_film(
    client: Client, worth_it: dict[str, Image], reader: User
) -> None:
    client.force_login(reader)
    text = client.get("/label-next/").content.decode()
    assert "a reader rejected a finding" in text
    assert "covid 0.52, threshold 0.50" in text
    assert f'href="/films/{worth_it["doubt"].pk}/"' in text
    only = client.get("/label-next/?why=uncertain").content.decode()
    assert "rejected a finding" not in only
    row = AuditEntry.objects.filter(verb="listed").latest("pk")
    assert row.detail == {"films": [worth_it["doubt"].pk]}
    assert 'href="/label-next/"' in client.get("/worklist/").content.decode()


def test_an_empty_page_says_so(client: Client, reader: User) -> None:
    client.force_login(reader)
    assert "No film is worth more than another" in client.get("/label-next/").content.decode()
    text = client.get("/label-next/?why=uncertain").content.decode()
    assert "No film has this reason" in text


def test_rest_gives_the_same_films(
    client: Client, worth_it: dict[str, Image], reader: User
) -> None:
    client.force_login(reader)
    found = client.get("/api/v1/label-next/?page_size=2").json()
    assert found["count"] == 5
    assert [r["image"] for r in found["results"]] == [
        worth_it["rejected"].pk, worth_it["against"].pk,
    ]  # fmt: skip
    first, second = found["results"]
    assert first["reasons"] == [{"code": "disagree", "text": first["why"]}]
    assert (first["signed"], second["signed"]) == (False, True)
    assert "Secret" not in str(found)
    only = client.get("/api/v1/label-next/?why=new_device").json()
    assert [r["device"]["name"] for r in only["results"]] == ["XR-new"]


def test_rest_lists_the_exported_sets(
    client: Client, signed_film: Films, admin: User, tmp_path: Path
) -> None:
    signed_film()
    first = export_dataset(folder=tmp_path / "one").version
    signed_film()
    second = export_dataset(folder=tmp_path / "two", user=admin).version
    assert first is not None
    assert second is not None
    client.force_login(admin)
    rows = client.get("/api/v1/datasets/").json()["results"]
    assert [r["id"] for r in rows] == [second.pk, first.pk]
    assert (rows[0]["previous"], rows[0]["created_by"]) == (first.pk, admin.username)
    assert rows[1]["created_by"] is None
    one = client.get(f"/api/v1/datasets/{first.pk}/").json()
    assert one == rows[1]
    assert one["counts"]["films"] == 1
    named = client.get(f"/api/v1/datasets/?sha256={first.sha256}").json()
    assert [r["id"] for r in named["results"]] == [first.pk]
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(f"/api/v1/datasets/{first.pk}/").status_code == 405
