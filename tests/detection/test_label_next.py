"""What to label next: selector, page, REST, and REST of the exported sets."""

from __future__ import annotations

import random
from itertools import pairwise
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection import labelling, selectors_labelling
from detection.models import DetectorVersion, Review, RunState, WorklistItem
from detection.selectors_labelling import Ranked, label_next
from detection.services import reviews, sign
from detection.services.dataset import export_dataset
from imaging.models import Image
from tests.detection.factories import Films, make_device, make_image, make_run, make_version

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
    reviews.record(
        finding_id=finding.pk, user=reader, verdict="reject", reason_code="not_a_finding"
    )
    finding = film("changed my mind").runs.get().findings.get()
    reviews.record(
        finding_id=finding.pk, user=reader, verdict="reject", reason_code="not_a_finding"
    )
    reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    finding = film("taken back").runs.get().findings.get()
    review = reviews.record(
        finding_id=finding.pk, user=reader, verdict="reject", reason_code="not_a_finding"
    )
    reviews.withdraw(review_id=review.pk, user=reader)
    sign.sign(image_id=film("against").pk, user=reader, conclusion="normal")
    sign.sign(image_id=film("with").pk, user=reader, conclusion="abnormal")
    sign.sign(image_id=film("missed", 0.1).pk, user=reader, conclusion="abnormal")
    finding = film("settled").runs.get().findings.get()
    reviews.record(
        finding_id=finding.pk, user=reader, verdict="reject", reason_code="not_a_finding"
    )
    sign.sign(image_id=films["settled"].pk, user=reader, conclusion="normal")
    device = make_device(name="XR-new")
    film("new")
    return films


def shown(films: dict[str, Image], why: str = "") -> list[str]:
    names = {image.pk: name for name, image in films.items()}
    return [
        names[row.image.pk]
        for row in label_next(user=User.objects.get(username="reader"), why=why).rows
    ]


def test_each_film_for_its_reason(worth_it: dict[str, Image], reader: User) -> None:
    assert shown(worth_it, "disagree") == ["rejected", "against", "missed"]
    assert shown(worth_it, "uncertain") == ["doubt"]
    assert shown(worth_it, "new_device") == ["new"]
    assert shown(worth_it) == ["rejected", "against", "missed", "doubt", "new"]
    assert shown(worth_it, "nonsense") == shown(worth_it)
    assert label_next(user=reader).counts == {"": 5, "disagree": 3, "uncertain": 1, "new_device": 1}


def test_many_films_cost_as_many_queries_as_few(
    worth_it: dict[str, Image], version: DetectorVersion, reader: User
) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            label_next(user=reader)
        return len(captured)

    few = queries()
    for _ in range(30):
        make_run(make_image(), version, boxes=(("covid", 0.5), ("pneumonia", 0.4)))
    assert queries() == few <= 9


def test_pages_hold_every_film_once(version: DetectorVersion, reader: User) -> None:
    films = [make_image() for _ in range(7)]
    for image in films:
        make_run(image, version, boxes=(("covid", 0.5),))
    pages = [label_next(user=reader, page=n, page_size=3).rows for n in (1, 2, 3)]
    assert [row.image.pk for rows in pages for row in rows] == [image.pk for image in films]
    assert len(Ranked(reader)) == 7


def test_the_database_and_the_rule_agree(version: DetectorVersion, reader: User) -> None:
    """On films of every kind: which have a reason, which, and in what order they come."""
    rng = random.Random(11)
    odd = make_version("retired", thresholds={"covid": 0.3})
    machines = [None, make_device(name=""), make_device(), make_device(), make_device()]
    for machine, count in ((machines[3], 3), (machines[4], 20)):
        for _ in range(count):
            signed = make_image(device=machine)
            make_run(signed, version, boxes=(("covid", 0.95),))
            sign.sign(image_id=signed.pk, user=reader, conclusion="abnormal")
    near = [0.25, 0.3, 0.34, 0.39, 0.4, 0.41, 0.45, 0.5, 0.52, 0.599, 0.6, 0.8]
    for _ in range(150):
        image = make_image(device=rng.choice(machines))
        labels = [
            label for label in ("covid", "covid", "pneumonia", "normal") if rng.random() < 0.5
        ]
        boxes = tuple((label, rng.choice(near)) for label in labels)
        run = make_run(image, rng.choice([version, version, odd]), boxes=boxes)
        findings = list(run.findings.all())
        for _ in range(rng.choice([0, 0, 0, 1, 2, 3]) if findings else 0):
            Review.objects.create(
                image=image, finding=rng.choice(findings), by=reader,
                verdict=rng.choice(["accept", "accept", "reject", "edit"]),
                withdrawn_at=rng.choice([None, None, timezone.now()]),
            )  # fmt: skip
        if rng.random() < 0.05:
            Review.objects.create(image=image, verdict="add", by=reader)
    items = WorklistItem.objects.filter(signed=False)
    rows = selectors_labelling._rows(
        list(items.values_list("pk", flat=True)), Ranked(reader)._signed
    )
    wanted = {row.item.pk: {r.code for r in row.reasons} for row in rows if row.reasons}
    assert 40 < len(wanted) < len(rows) - 10, "a test of all or nothing proves nothing"
    found = Ranked(reader)[: len(rows)]
    assert len(found) == len(wanted)
    assert {row.item.pk: {r.code for r in row.reasons} for row in found} == wanted
    worth = [sum(r.weight for r in row.reasons) for row in found]
    assert all(a >= b - 1e-9 for a, b in pairwise(worth))
    for code in labelling.WHY:
        of_code = Ranked(reader, code)[: len(rows)]
        assert {r.item.pk for r in of_code} == {pk for pk, codes in wanted.items() if code in codes}
        assert Ranked(reader).counts[code] == len(of_code) > 5


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
    assert one == rows[1] | {"downloadable": False}
    assert one["counts"]["films"] == 1
    named = client.get(f"/api/v1/datasets/?sha256={first.sha256}").json()
    assert [r["id"] for r in named["results"]] == [first.pk]
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(f"/api/v1/datasets/{first.pk}/").status_code == 405
