"""The exported set: what is in its files, what is kept of it, and what never leaves the house."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry, User
from detection.detectors.coco import read_coco
from detection.detectors.preprocess import to_grey
from detection.models import (
    DatasetItem,
    DatasetKey,
    DatasetSplit,
    DatasetVersion,
    DetectorVersion,
)
from detection.services import reviews, sign
from detection.services.datasets import export_dataset
from imaging import pixels
from imaging.models import Image
from tests.detection.factories import make_run, make_version
from tests.detection.signed_films import CANARIES, LEFT, RIGHT, signed_film, stored_film
from tests.imaging.factories import make_pixels
from twinhealth.errors import InvalidInputError

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("archive")]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "sets" / "out"


def tables(out: Path) -> dict[str, dict[str, Any]]:
    return {
        split: json.loads((out / "annotations" / f"{split}.json").read_text())
        for split in ("train", "val", "test")
    }


def films(out: Path) -> list[dict[str, Any]]:
    return [row for table in tables(out).values() for row in table["images"]]


def boxes(out: Path) -> list[dict[str, Any]]:
    return [row for table in tables(out).values() for row in table["annotations"]]


def test_the_set_as_trainers_read_it(old: DetectorVersion, reader: User, out: Path) -> None:
    labels = ["covid", "pneumonia", "normal"] * 4
    images = {
        signed_film(old, reader, label=label, patient=f"CANARYID-{n}"): label
        for n, label in enumerate(labels)
    }
    result = export_dataset(out=out, user=reader)
    assert sorted(p.name for p in out.iterdir()) == ["annotations", "dataset.json", "images"]
    found: dict[str, int] = {}
    for split, table in tables(out).items():
        assert [c["name"] for c in table["categories"]] == ["covid", "pneumonia", "normal"]
        if not table["images"]:
            continue
        read = read_coco(out / "annotations" / f"{split}.json", out / "images")
        assert (read.clipped, read.dropped, read.other_categories) == (0, 0, 0)
        assert {film.source for film in read.films} == {films(out)[0]["source"]}
        for film in read.films:
            assert {b.box for b in film.boxes} == {LEFT, RIGHT}
            assert {b.origin for b in film.boxes} == {"accepted"}
            found[film.boxes[0].label] = found.get(film.boxes[0].label, 0) + 1
    assert found == {"covid": 4, "pneumonia": 4, "normal": 4}
    assert sum(c["films"] for c in result.counts.values()) == 12
    # each picture is the film, and its hash is the one that is written everywhere
    rows = {row["file_name"]: row for row in films(out)}
    for image in images:
        item = DatasetItem.objects.get(image=image)
        png = (out / "images" / item.file_name).read_bytes()
        assert hashlib.sha256(png).hexdigest() == item.sha256 == rows[item.file_name]["sha256"]
        back = pixels.read_file(out / "images" / item.file_name)
        assert np.abs(to_grey(back) - to_grey(pixels.load(image))).max() <= 1
    index = json.loads((out / "dataset.json").read_text())
    for split, row in index["annotations"].items():
        data = (out / row["file"]).read_bytes()
        assert hashlib.sha256(data).hexdigest() == row["sha256"]
        assert row["films"] == result.counts[split]["films"]


def test_nothing_identifies(old: DetectorVersion, reader: User, out: Path) -> None:
    User.objects.filter(pk=reader.pk).update(username="Dr Canary")
    image = signed_film(old, reader, ViewPosition="CANARYSTUDY")
    export_dataset(out=out, user=reader)
    series, study = image.series, image.series.study
    forbidden = [
        *CANARIES, image.sop_instance_uid, series.series_instance_uid, study.study_instance_uid,
        image.sha256, "Dr Canary", f"{timezone.now():%Y-%m-%d}",
    ]  # fmt: skip
    for path in (p for p in out.rglob("*") if p.is_file()):
        data = path.read_bytes() + str(path.relative_to(out)).encode()
        assert not [word for word in forbidden if word.encode() in data], path
    (row,) = films(out)
    assert row["view"] == ""
    assert set(row) == {
        "id", "file_name", "width", "height", "sha256", "patient_id", "source", "view", "demo",
        "model",
    }  # fmt: skip
    assert set(boxes(out)[0]) == {
        "id", "image_id", "category_id", "bbox", "area", "iscrowd", "origin", "verdict",
        "labeller", "labeller_role",
    }  # fmt: skip


def test_pseudonyms_need_the_installations_key(
    old: DetectorVersion, reader: User, out: Path, tmp_path: Path
) -> None:
    """Two films of a patient are one patient; another installation calls him otherwise."""
    signed_film(old, reader)
    signed_film(old, reader)
    signed_film(old, reader, patient="CANARYID-2")
    export_dataset(out=out)
    names = [row["patient_id"] for row in films(out)]
    assert len(names) == 3
    assert len(set(names)) == 2
    assert len({row["labeller"] for row in boxes(out)}) == 1
    with connection.cursor() as cursor:
        _without_triggers(cursor, "detection_datasetkey")
        cursor.execute("UPDATE detection_datasetkey SET secret = %s", ["ab" * 32])
    export_dataset(out=tmp_path / "other")
    assert not set(names) & {row["patient_id"] for row in films(tmp_path / "other")}


def test_who_labelled_what_stands_in_the_rows(
    old: DetectorVersion, reader: User, other: User, out: Path
) -> None:
    image = stored_film()
    run = make_run(image, old, boxes=(("covid", 0.9, *LEFT), ("covid", 0.8, *RIGHT)))
    first, second = run.findings.all()
    reviews.record(finding_id=first.pk, user=other, verdict="edit", label="pneumonia")
    reviews.record(finding_id=second.pk, user=other, verdict="reject")
    reviews.record(
        image_id=image.pk, user=other, verdict="add", label="pneumonia", box=(25.5, 9, 20.25, 30)
    )
    sign.sign(image_id=image.pk, user=reader, conclusion="abnormal")
    export_dataset(out=out)
    item = DatasetItem.objects.get()
    assert item.model == old
    assert item.labellers == [
        {"user": pk, "role": "clinician"} for pk in sorted((reader.pk, other.pk))
    ]
    assert films(out)[0]["model"] == "shipped-1"
    assert [(b["category_id"], b["bbox"], b["origin"], b["verdict"]) for b in boxes(out)] == [
        (2, list(LEFT), "accepted", "edit"),
        (2, [25.5, 9.0, 20.25, 30.0], "human", "add"),
    ]


def test_signed_films_that_stay_out_are_counted_with_the_reason(
    old: DetectorVersion, reader: User, out: Path
) -> None:
    signed_film(old, reader)
    signed_film(old, reader, conclusion="not_readable")
    signed_film(old, reader, accept=False)
    signed_film(old, reader, BurnedInAnnotation="YES")
    lost = signed_film(old, reader)
    pixels.stored_path(lost).unlink()
    unsigned = stored_film()
    make_run(unsigned, old, boxes=(("covid", 0.9),))
    broken = signed_film(old, reader)
    Image.objects.filter(pk=broken.pk).update(display_problem="cannot_display")
    expected = {
        "not_readable": 1, "not_named": 1, "burned_in": 1, "file_missing": 1, "cannot_display": 1,
    }  # fmt: skip
    result = export_dataset(out=out)
    assert result.left_out == expected
    assert result.version is not None
    assert result.version.left_out == expected
    assert len(films(out)) == 1


def test_the_reading_that_the_signer_saw(old: DetectorVersion, reader: User, out: Path) -> None:
    """A later version's findings were on nobody's page when the film was signed."""
    image = signed_film(old, reader)
    later = make_version("candidate")
    make_run(image, later, boxes=(("pneumonia", 0.99, 0, 0, 40, 60),))
    export_dataset(out=out)
    assert DatasetItem.objects.get().model == old
    assert {b["category_id"] for b in boxes(out)} == {1}


def test_equal_content_is_one_version(
    old: DetectorVersion, reader: User, out: Path, tmp_path: Path
) -> None:
    signed_film(old, reader)
    first = export_dataset(out=out, user=reader)
    again = export_dataset(out=tmp_path / "again")
    assert (first.created, again.created) == (True, False)
    assert first.version == again.version == DatasetVersion.objects.get()
    for path in (p for p in out.rglob("*") if p.is_file()):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(out)).read_bytes()
    assert export_dataset(out=tmp_path / "named", name="other").created


def test_a_version_says_what_came_changed_and_went(
    old: DetectorVersion, reader: User, out: Path, tmp_path: Path
) -> None:
    start = timezone.now()
    kept = signed_film(old, reader)
    gone = signed_film(old, reader)
    first = export_dataset(out=out).version
    assert first is not None
    assert (first.number, first.previous, first.diff) == (
        1,
        None,
        {"new": 2, "gone": 0, "changed": 0},
    )
    signed_film(old, reader)
    Image.objects.filter(pk=gone.pk).update(burned_in="YES")
    Image.objects.filter(pk=kept.pk).update(view_position="AP")
    second = export_dataset(out=tmp_path / "second", since=start).version
    assert second is not None
    assert (second.number, second.previous) == (2, first)
    assert second.diff == {"new": 1, "gone": 1, "changed": 1}
    assert second.options == {"since": start.isoformat(), "longest_side": None}
    assert first.items.count() == 2


def test_since(old: DetectorVersion, reader: User, out: Path) -> None:
    signed_film(old, reader)
    moment = timezone.now()
    image = signed_film(old, reader)
    export_dataset(out=out, since=moment)
    assert [item.image for item in DatasetItem.objects.all()] == [image]


def test_shrunk_pictures_have_shrunk_boxes(old: DetectorVersion, reader: User, out: Path) -> None:
    signed_film(old, reader, pixels=make_pixels(rows=256, columns=192))
    export_dataset(out=out, longest_side=128)
    (row,) = films(out)
    assert (row["width"], row["height"]) == (96, 128)
    assert sorted(b["bbox"] for b in boxes(out)) == [[2, 4, 8, 20], [13, 4, 8, 20]]


def test_rows_are_for_good(old: DetectorVersion, reader: User, out: Path) -> None:
    signed_film(old, reader)
    export_dataset(out=out)
    changes: list[tuple[Any, dict[str, Any]]] = [
        (DatasetKey, {"secret": "00"}),
        (DatasetSplit, {"split": "val"}),
        (DatasetVersion, {"sha256": "0"}),
        (DatasetItem, {"split": "val"}),
    ]
    if DatasetSplit.objects.get().split == "val":
        changes[1] = (DatasetSplit, {"split": "test"})
        changes[3] = (DatasetItem, {"split": "test"})
    for model, change in changes:
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.update(**change)
        with pytest.raises(DatabaseError), transaction.atomic():
            model.objects.all()._raw_delete(using="default")


def test_each_patients_trail_says_so(
    old: DetectorVersion, reader: User, admin: User, out: Path
) -> None:
    one, two = signed_film(old, reader), signed_film(old, reader)
    other = signed_film(old, reader, patient="CANARYID-2")
    signed_film(old, reader, patient="CANARYID-3", conclusion="not_readable")
    version = export_dataset(out=out, user=admin).version
    trail = AuditEntry.objects.filter(verb="exported")
    assert {(e.actor_name, e.object_type, e.object_id) for e in trail} == {
        (admin.username, "detection.DatasetVersion", str(version and version.pk))
    }
    assert {e.patient_ref: e.detail.get("films") for e in trail} == {
        None: 3,
        one.series.study.patient_id: [one.pk, two.pk],
        other.series.study.patient_id: [other.pk],
    }


@pytest.mark.parametrize("name", ["", "A", "a b", "../a", "-a", "a-", "a" * 49, "=1+1", "<b>"])
def test_names_that_are_none(name: str, out: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        export_dataset(out=out, name=name)
    assert caught.value.code == "bad_dataset_name"
    assert not out.parent.exists()


@pytest.mark.parametrize("side", [0, -1, 63, 100_000])
def test_sizes_that_are_none(side: int, out: Path) -> None:
    with pytest.raises(InvalidInputError) as caught:
        export_dataset(out=out, longest_side=side)
    assert caught.value.code == "bad_longest_side"


def _without_triggers(cursor: Any, table: str) -> None:
    """The test's own transaction is rolled back, triggers included."""
    on = f" ON {table}" if connection.vendor == "postgresql" else ""
    cursor.execute(f"DROP TRIGGER {table}_no_update{on}")


def test_more_patients_than_a_batch(reader: User) -> None:
    """Splits are asked for in batches; none is lost between two."""
    from detection.services.dataset_splits import dataset_key, splits
    from patients.models import Patient

    Patient.objects.bulk_create(Patient(identifier=f"B{n}") for n in range(1201))
    numbers = list(Patient.objects.values_list("pk", flat=True))
    found = splits(numbers, key=dataset_key(), freeze=True)
    assert set(found) == set(numbers)
    assert DatasetSplit.objects.count() == 1201
    shares = {s: list(found.values()).count(s) / 1201 for s in ("train", "val", "test")}
    assert shares["train"] == pytest.approx(0.70, abs=0.06)
    assert shares["val"] == pytest.approx(0.15, abs=0.05)
