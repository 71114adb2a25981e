"""Signed films as a set: what is in the folder, in the tables, and after a fault."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.db import DatabaseError, connection, transaction
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from PIL import Image as Picture

from accounts.models import AuditEntry, User
from detection import dataset_files, pseudonyms
from detection.detectors import preprocess
from detection.detectors.coco import read_coco
from detection.models import DatasetVersion, PatientSplit
from detection.selectors_dataset import signed_films
from detection.services import reviews, sign
from detection.services.dataset import export_dataset
from imaging import pixels
from imaging.frame import Frame
from imaging.models import Image
from patients.models import Patient
from tests.detection.factories import Films, make_device, make_image, make_run, make_version
from twinhealth.errors import InvalidInputError

pytestmark = pytest.mark.django_db


def table_of(folder: Path) -> dict[str, Any]:
    table: dict[str, Any] = json.loads((folder / "annotations.json").read_text())
    return table


def left_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_readers_word_is_what_is_exported(
    signed_film: Films, reader: User, tmp_path: Path
) -> None:
    image = signed_film(
        conclusion="",
        boxes=(("covid", 0.9, 2, 3, 10, 12), ("covid", 0.8, 20, 3, 10, 12), ("pneumonia", 0.7)),
    )
    first, second, third = image.runs.get().findings.all()
    reviews.record(finding_id=first.pk, user=reader, verdict="accept")
    reviews.record(finding_id=second.pk, user=reader, verdict="accept")
    reviews.record(
        finding_id=second.pk, user=reader, verdict="edit", label="pneumonia", box=[21, 4, 9, 9]
    )
    reviews.record(finding_id=third.pk, user=reader, verdict="reject", reason_code="not_a_finding")
    drawn = reviews.record(
        image_id=image.pk, user=reader, verdict="add", label="covid", box=[1, 1, 5, 5]
    )
    taken_back = reviews.record(
        image_id=image.pk, user=reader, verdict="add", label="covid", box=[9, 9, 5, 5]
    )
    reviews.withdraw(review_id=taken_back.pk, user=reader)
    sign.sign(image_id=image.pk, user=reader, conclusion="abnormal")
    exported = export_dataset(folder=tmp_path / "set")
    films = read_coco(tmp_path / "set" / "annotations.json", tmp_path / "set" / "images")
    assert [(t.label, t.box, t.origin) for t in films.films[0].boxes] == [
        ("covid", (1.0, 1.0, 5.0, 5.0), "human"),
        ("covid", (2.0, 3.0, 10.0, 12.0), "model"),
        ("pneumonia", (21.0, 4.0, 9.0, 9.0), "human"),
    ]
    assert drawn.by_id == reader.pk
    assert (films.clipped, films.dropped, films.other_categories) == (0, 0, 0)
    assert exported.counts["findings_left_out"] == {"rejected": 1}
    assert exported.counts["boxes_by_verdict"] == {"accept": 1, "add": 1, "edit": 1}
    row = table_of(tmp_path / "set")["images"][0]
    assert row["detector_version"] == image.runs.get().version.name
    assert row["labeller"] == pseudonyms.reader(reader.pk)


def test_unsigned_and_unreadable_films_stay_here(signed_film: Films, tmp_path: Path) -> None:
    signed_film()
    signed_film(conclusion="")
    signed_film(conclusion="not_readable")
    signed_film(boxes=())
    counts = export_dataset(folder=tmp_path / "set").counts
    assert counts["films"] == 1
    assert counts["films_left_out"] == {"abnormal_without_box": 1, "not_readable": 1}


def test_a_later_version_changes_nothing(signed_film: Films, tmp_path: Path) -> None:
    image = signed_film()
    before = export_dataset(folder=tmp_path / "one")
    make_run(image, make_version("candidate"), boxes=(("pneumonia", 0.99, 1, 1, 2, 2),))
    after = export_dataset(folder=tmp_path / "two")
    assert (after.version, after.created) == (before.version, False)


def test_the_network_sees_the_exported_film_as_it_saw_the_original(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    y, x = np.mgrid[:200, :160]
    values = (900 + 9 * y + 6 * x + rng.normal(0, 60, y.shape)).clip(0, 4095).astype(np.uint16)
    for number, photometric in enumerate(("MONOCHROME1", "MONOCHROME2")):
        frame = Frame(values, photometric, 12)  # type: ignore[arg-type]
        with dataset_files.new_folder(tmp_path / f"set{number}") as out:
            out.add_film("a.png", frame)
            out.publish()
        read = pixels.read_file(tmp_path / f"set{number}" / "images" / "a.png")
        assert (read.pixels.dtype, read.pixels.shape) == (np.dtype(np.uint8), (200, 160))
        one = preprocess.prepare(frame, longest_side=128).pixels * preprocess.STD
        two = preprocess.prepare(read, longest_side=128).pixels * preprocess.STD
        assert np.abs(one - two).max() <= 1.0


def test_nothing_leads_to_a_person(signed_film: Films, reader: User, tmp_path: Path) -> None:
    patient = Patient.objects.create(
        identifier="CANARY-ID", issuer="CANARY-ISSUER", name="CanaryName^Given"
    )
    image = signed_film(
        patient,
        sop_instance_uid="1.2.826.77.1",
        device=make_device(serial="CANARY-SERIAL", name="CANARY-XR"),
        attribution="CANARY-SOURCE",
    )
    export_dataset(folder=tmp_path / "set")
    study = image.series.study
    canaries = [
        "canary", "secret", "1958-01-02", "19580102", "1.2.826.77", study.study_instance_uid + ".",
        image.sha256, image.path, reader.username, f"{image.acquired_at:%Y-%m-%d}",
        f"{image.acquired_at:%Y%m%d}",
    ]  # fmt: skip
    for path in (tmp_path / "set").rglob("*"):
        text = path.name.lower() + (
            path.read_bytes().decode("latin-1").lower() if path.is_file() else ""
        )
        assert not [c for c in canaries if c.lower() in text], path
    png = next((tmp_path / "set" / "images").iterdir())
    with Picture.open(png) as picture:
        assert (picture.mode, picture.size, picture.info) == ("L", (40, 30), {})


def test_the_folder_is_whole_and_checks_itself(signed_film: Films, tmp_path: Path) -> None:
    for _ in range(12):
        signed_film()
    exported = export_dataset(folder=tmp_path / "set")
    folder = tmp_path / "set"
    assert left_in(tmp_path) == ["set"]
    listed = {}
    for line in (folder / "SHA256SUMS").read_text().splitlines():
        digest, name = line.split("  ")
        listed[name] = digest
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest
    files = {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}
    assert set(listed) == files - {"SHA256SUMS"}
    assert exported.version is not None
    assert listed["annotations.json"] == exported.version.sha256
    table = table_of(folder)
    for row in table["images"]:
        with Picture.open(folder / "images" / row["file_name"]) as picture:
            grey = np.asarray(picture)
        said = f"{row['width']}x{row['height']}\n".encode() + grey.tobytes()
        assert hashlib.sha256(said).hexdigest() == row["pixel_sha256"]
    parts = {row["split"] for row in table["images"]}
    together = []
    for part in parts:
        split = json.loads((folder / f"{part}.json").read_text())
        assert {row["split"] for row in split["images"]} == {part}
        together += [row["file_name"] for row in split["images"]]
        read_coco(folder / f"{part}.json", folder / "images")
    assert sorted(together) == [row["file_name"] for row in table["images"]]


def test_versions_count_what_changed_and_equal_content_is_one(
    signed_film: Films, tmp_path: Path
) -> None:
    signed_film()
    first = export_dataset(folder=tmp_path / "one").version
    again = export_dataset(folder=tmp_path / "again")
    assert (again.version, again.created) == (first, False)
    names = ("annotations.json", "SHA256SUMS")
    for name in names:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "again" / name).read_bytes()
    signed_film()
    second = export_dataset(folder=tmp_path / "two").version
    assert first is not None
    assert second is not None
    assert (second.number, second.previous) == (2, first)
    assert (second.films_new, second.films_changed, second.films_gone) == (1, 0, 0)
    elsewhere = export_dataset(folder=tmp_path / "three", name="other").version
    assert elsewhere is not None
    assert (elsewhere.number, elsewhere.previous, elsewhere.sha256) == (1, None, second.sha256)


def test_a_film_that_is_said_differently_or_goes_is_counted(
    signed_film: Films, frames: dict[int, Frame], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed, gone = signed_film(), signed_film()
    signed_film()
    export_dataset(folder=tmp_path / "one")
    frames[changed.pk] = Frame(frames[changed.pk].pixels.T.reshape(30, 40), "MONOCHROME2", 12)

    def load(image: Image) -> Frame:
        if image == gone:
            raise InvalidInputError("cannot_display", "No.")
        return frames[image.pk]

    monkeypatch.setattr(pixels, "load", load)
    exported = export_dataset(folder=tmp_path / "two")
    assert exported.version is not None
    version = exported.version
    assert (version.films_new, version.films_changed, version.films_gone) == (0, 1, 1)
    assert exported.counts["films_left_out"] == {"cannot_be_decoded": 1}


@pytest.mark.parametrize("table", ["patientsplit", "datasetversion", "datasetfilm"])
def test_rows_are_only_added(signed_film: Films, tmp_path: Path, table: str) -> None:
    signed_film()
    export_dataset(folder=tmp_path / "set")
    for statement in (
        f"DELETE FROM detection_{table}",
        f"UPDATE detection_{table} SET id = id + 1",
    ):
        with (
            pytest.raises(DatabaseError, match="only ever added"),
            transaction.atomic(),
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)


def test_a_patient_has_one_part_that_exists() -> None:
    patient = make_image().series.study.patient
    with pytest.raises(DatabaseError), transaction.atomic():
        PatientSplit.objects.create(patient=patient, split="spare")
    PatientSplit.objects.create(patient=patient, split="val")
    with pytest.raises(DatabaseError), transaction.atomic():
        PatientSplit.objects.create(patient=patient, split="train")


def test_the_part_stays_when_the_key_changes(
    signed_film: Films, tmp_path: Path, settings: Any
) -> None:
    for _ in range(20):
        signed_film()
    export_dataset(folder=tmp_path / "one")
    before = dict(PatientSplit.objects.values_list("patient_id", "split"))
    settings.SECRET_KEY = "another key, of the length that a key has to have"
    drawn = {p.pk: pseudonyms.split(p.identifier, p.issuer) for p in Patient.objects.all()}
    assert drawn != before
    export_dataset(folder=tmp_path / "two")
    assert dict(PatientSplit.objects.values_list("patient_id", "split")) == before
    assert {row["split"] for row in table_of(tmp_path / "two")["images"]} == set(before.values())


@hypothesis_settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(rounds=st.lists(st.lists(st.integers(0, 9), max_size=4), min_size=1, max_size=4))
def test_growing_sets_never_move_or_share_a_patient(
    signed_film: Films, tmp_path_factory: pytest.TempPathFactory, rounds: list[list[int]]
) -> None:
    with transaction.atomic():
        patients: dict[int, Patient] = {}
        seen: dict[str, str] = {}
        signed_film()  # never empty
        for numbers in rounds:
            for n in numbers:
                if n not in patients:
                    patients[n] = Patient.objects.create(identifier=f"grow-{n}")
                signed_film(patients[n])
            folder = tmp_path_factory.mktemp("grow") / "set"
            export_dataset(folder=folder)
            rows = table_of(folder)["images"]
            assert len(rows) == DatasetVersion.objects.latest("pk").films.count()
            for row in rows:
                assert seen.setdefault(row["patient_id"], row["split"]) == row["split"]
        transaction.set_rollback(True)


def test_the_parts_are_70_15_15() -> None:
    drawn = [pseudonyms.split(str(n), "") for n in range(4000)]
    for part, share in (("train", 0.70), ("val", 0.15), ("test", 0.15)):
        assert abs(drawn.count(part) / 4000 - share) < 0.03  # five standard errors and more


def test_each_patient_and_the_set_are_audited(
    signed_film: Films, admin: User, tmp_path: Path
) -> None:
    image = signed_film()
    signed_film(image.series.study.patient)
    signed_film()
    export_dataset(folder=tmp_path / "set", user=admin)
    rows = AuditEntry.objects.filter(verb="exported").order_by("pk")
    patient = image.series.study.patient_id
    of_patients = {r.patient_ref: r.detail["films"] for r in rows if r.patient_ref}
    assert of_patients[patient] == 2
    assert len(of_patients) == 2
    whole = [r for r in rows if r.patient_ref is None]
    assert [r.detail["films"] for r in whole] == [3]
    assert {r.actor_name for r in rows} == {admin.username}


def test_reading_what_is_signed_costs_the_same_for_many(signed_film: Films) -> None:
    def queries() -> int:
        with CaptureQueriesContext(
            connection,
        ) as captured:
            list(signed_films())
        return len(captured)

    signed_film()
    one = queries()
    for _ in range(6):
        signed_film()
    assert queries() == one <= 5
