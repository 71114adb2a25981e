"""What to label next: the list, its page and its REST address."""

from __future__ import annotations

import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from accounts.models import AuditEntry, User
from detection.labelling import FEW
from detection.models import (
    DatasetItem,
    DatasetVersion,
    DetectionRun,
    DetectorVersion,
    Finding,
    Review,
    RunState,
    WorklistItem,
)
from detection.selectors_labelling import LabelList, label_next
from detection.services import reviews, sign
from detection.services.worklist import refresh_items
from imaging.models import Image, Series, Study
from patients.models import Patient
from tests.detection.factories import make_device, make_image, make_run, make_version

pytestmark = pytest.mark.django_db


def listed(found: LabelList) -> list[int]:
    return [w.image for w in found.wanted]


@pytest.fixture
def films(version: DetectorVersion, reader: User) -> dict[str, Image]:
    """One film in every situation; those not named after a reason have none."""
    made = {}

    def film(name: str, boxes: tuple[tuple[object, ...], ...], **fields: object) -> Image:
        made[name] = make_image(**fields)  # type: ignore[arg-type]
        make_run(made[name], version, boxes=boxes)
        return made[name]

    film("sure", (("covid", 0.95),))
    film("uncertain", (("covid", 0.52),))
    film("new machine", (("covid", 0.95),), device=make_device(name="XR new"))
    rejected = film("rejected", (("covid", 0.95),))
    reviews.record(finding_id=rejected.runs.get().findings.get().pk, user=reader, verdict="reject")
    against = film("against", (("pneumonia", 0.9),))
    sign.sign(image_id=against.pk, user=reader, conclusion="normal")
    agreed = film("agreed", (("covid", 0.9),))
    sign.sign(image_id=agreed.pk, user=reader, conclusion="abnormal")
    unreadable = film("unreadable", (("covid", 0.51),))
    sign.sign(image_id=unreadable.pk, user=reader, conclusion="not_readable")
    made["not read"] = make_image()
    make_run(made["not read"], version, RunState.QUEUED)
    return made


def test_films_in_order_with_their_sentences(films: dict[str, Image], reader: User) -> None:
    names = {image.pk: name for name, image in films.items()}
    found = label_next(user=reader)
    assert [names[pk] for pk in listed(found)] == [
        "against", "rejected", "uncertain", "new machine",
    ]  # fmt: skip
    assert [w.sentence for w in found.wanted] == [
        "signed as normal, the model saw pneumonia 0.90",
        "a reader rejected a finding",
        "covid 0.52, close to its threshold 0.50",
        "no signed film from its machine",
    ]
    assert found.counts == {"": 4, "disagree": 2, "uncertain": 1, "new_machine": 1}
    rows = found.rows(found.wanted[:2])
    assert [(row.film.image.pk, row.conclusion) for row in rows] == [
        (films["against"].pk, "normal"),
        (films["rejected"].pk, ""),
    ]


def test_the_newest_verdict_on_a_finding_counts(films: dict[str, Image], reader: User) -> None:
    finding = films["rejected"].runs.get().findings.get()
    reviews.record(finding_id=finding.pk, user=reader, verdict="accept")
    assert films["rejected"].pk not in listed(label_next(user=reader))
    Review.objects.filter(verdict="accept").update(withdrawn_at=timezone.now())
    assert films["rejected"].pk in listed(label_next(user=reader))


def test_filters(films: dict[str, Image], reader: User) -> None:
    assert listed(label_next(user=reader, filters={"why": "uncertain"})) == [films["uncertain"].pk]
    device = films["new machine"].device
    assert device is not None
    of_machine = label_next(user=reader, filters={"device": str(device.pk)})
    assert listed(of_machine) == [films["new machine"].pk]
    assert of_machine.counts == {"": 1, "disagree": 0, "uncertain": 0, "new_machine": 1}
    assert of_machine.machines == (device,)
    everything = listed(label_next(user=reader))
    for hostile in ("x; drop", "\0", "²", "9" * 400, "-1", "<script>"):
        assert listed(label_next(user=reader, filters={"why": hostile})) == everything
        assert listed(label_next(user=reader, filters={"device": hostile})) == everything


def test_a_machine_stays_new_until_enough_is_signed(
    films: dict[str, Image], version: DetectorVersion, reader: User
) -> None:
    device = films["new machine"].device
    for number in range(FEW):
        assert films["new machine"].pk in listed(label_next(user=reader)), number
        image = make_image(device=device)
        make_run(image, version, boxes=(("covid", 0.95),))
        sign.sign(image_id=image.pk, user=reader, conclusion="abnormal")
    assert films["new machine"].pk not in listed(label_next(user=reader))


def test_films_of_the_newest_set_are_left_out_unless_read_anew(
    films: dict[str, Image], reader: User
) -> None:
    image = films["against"]
    made = DatasetVersion.objects.create(name="a", number=1, sha256="0" * 64, counts={})

    def into(version: DatasetVersion) -> None:
        DatasetItem.objects.create(
            version=version, image=image, split="train", file_name="x.png", sha256="0" * 64,
            content_sha256="0" * 64, boxes=1, labellers=[],
        )  # fmt: skip

    assert image.pk in listed(label_next(user=reader))
    into(made)
    assert image.pk not in listed(label_next(user=reader))
    newer = DatasetVersion.objects.create(name="a", number=2, sha256="1" * 64, counts={})
    assert image.pk in listed(label_next(user=reader)), "it has gone from the newest set"
    into(newer)
    assert image.pk not in listed(label_next(user=reader))
    later = make_version("candidate")
    run = make_run(
        image, later, boxes=(("covid", 0.9),), finished_at=timezone.now() + timedelta(seconds=1)
    )
    assert WorklistItem.objects.get(image=image).run == run
    assert image.pk in listed(label_next(user=reader))


def test_the_page(films: dict[str, Image], reader: User) -> None:
    device = films["new machine"].device
    assert device is not None
    type(device).objects.filter(pk=device.pk).update(name="<script>alert(1)</script>")
    client = Client()
    client.force_login(reader)
    page = client.get("/label-next/").content.decode()
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert f'data-href="/films/{films["against"].pk}/"' in page
    assert "signed: for a second look" in page
    assert re.search(r'<a href="/label-next/" aria-current="page">', page)
    trail = AuditEntry.objects.filter(verb="listed").latest("id")
    assert trail.detail["films"] == listed(label_next(user=reader))
    one = client.get("/label-next/?why=uncertain").content.decode()
    assert "close to its threshold" in one
    assert "signed as normal" not in one
    none = client.get(f"/label-next/?why=uncertain&device={device.pk}").content.decode()
    assert "No film matches these filters" in none


def test_nothing_to_label(reader: User) -> None:
    client = Client()
    client.force_login(reader)
    assert "No film asks for a label" in client.get("/label-next/").content.decode()


def test_rest(films: dict[str, Image], reader: User) -> None:
    client = APIClient()
    client.force_authenticate(reader)
    found = client.get("/api/v1/label-next/", {"page_size": 3}).json()
    assert (found["count"], len(found["results"])) == (4, 3)
    first = found["results"][0]
    assert (first["image"], first["conclusion"]) == (films["against"].pk, "normal")
    assert first["reasons"] == [{"why": "disagree", "weight": 1.0, "text": first["why"]}]
    assert found["results"][1]["conclusion"] == ""
    second = client.get("/api/v1/label-next/", {"page_size": 3, "page": 2}).json()
    assert [row["image"] for row in second["results"]] == [films["new machine"].pk]
    assert second["results"][0]["device"]["name"] == "XR new"
    beyond = client.get("/api/v1/label-next/", {"page": 9})
    assert beyond.status_code == 404


def test_thousands_of_films_in_a_constant_number_of_queries(
    version: DetectorVersion, reader: User
) -> None:
    device = make_device()

    def count() -> tuple[int, int]:
        client = Client()
        client.force_login(reader)
        client.get("/label-next/")
        with CaptureQueriesContext(connection) as queries:
            response = client.get("/label-next/")
        return len(queries), response.context["page_obj"].paginator.count

    fill(version, 3, device=device.pk)
    few, shown = count()
    assert shown == 3
    fill(version, 3000, device=device.pk)
    many, shown = count()
    assert shown == 3003
    assert many == few <= 20  # session, user, rail and audit among them


def fill(version: DetectorVersion, films: int, *, device: int) -> None:
    """Uncertain films of one machine, by bulk."""
    now = timezone.now()
    start = Image.objects.count()
    numbers = range(start, start + films)
    patient = Patient.objects.create(identifier=f"F{start}")
    study = Study.objects.create(study_instance_uid=f"1.9.{start}", patient=patient)
    series = Series.objects.create(series_instance_uid=f"1.9.{start}.1", study=study, modality="DX")
    images = Image.objects.bulk_create(
        Image(
            series=series, sop_instance_uid=f"1.9.{start}.1.{n}", sha256=f"{n:064x}", path=f"f/{n}",
            size=1, rows=300, columns=400, bits_stored=12, acquired_at=now, device_id=device,
        )
        for n in numbers
    )  # fmt: skip
    runs = DetectionRun.objects.bulk_create(
        DetectionRun(
            image=image, version=version, state="done", queued_at=now, sent_at=now, finished_at=now
        )
        for image in images
    )
    Finding.objects.bulk_create(
        Finding(run=run, label="covid", score=0.5 + n % 9 / 100, x=1, y=1, w=9, h=9)
        for n, run in enumerate(runs)
    )
    refresh_items(image_ids=[image.pk for image in images])


def test_how_far_it_looks_is_said(
    version: DetectorVersion, reader: User, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("detection.selectors_labelling.LOOKED_AT", 5)
    fill(version, 8, device=make_device().pk)
    found = label_next(user=reader)
    assert (len(found.wanted), found.cut) == (5, True)
    newest = set(Image.objects.order_by("-pk").values_list("pk", flat=True)[:5])
    assert set(listed(found)) == newest
    client = Client()
    client.force_login(reader)
    assert "among the newest 5" in client.get("/label-next/").content.decode()
