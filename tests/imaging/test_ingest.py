"""A good film: what is stored, and that it's durable before anybody says so."""

from __future__ import annotations

import hashlib
import io
import os
from datetime import UTC, datetime
from pathlib import Path

import pydicom
import pytest
from pydicom.uid import DeflatedExplicitVRLittleEndian, RLELossless

from accounts.models import AuditEntry
from devices.models import InboxEntry, Reading, TwinEvent
from imaging.models import Image, Intake, Outcome, QuarantinedFile, Series, Study
from imaging.services import storage
from imaging.signals import image_stored
from patients.models import Patient
from twinhealth.errors import ConflictError, InvalidInputError

from .factories import make_dicom, make_picture, make_pixels

pytestmark = pytest.mark.django_db


def test_a_film_is_stored_with_all_its_rows(send, kept, archive, clinician, device):
    data = make_dicom(KVP="120", SoftwareVersions="1.2", patient_name="Müller^Ünal")
    result = send(data, batch="b-1")

    image = Image.objects.get()
    assert (result.image, result.duplicate) == (image, False)
    assert (archive / image.path).read_bytes() == data
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert image.size == len(data)
    assert (image.rows, image.columns, image.bits_stored) == (64, 48, 12)
    assert (image.photometric, image.view_position) == ("MONOCHROME2", "PA")
    assert image.acquired_at == datetime(2025, 3, 4, 10, 20, 30, tzinfo=UTC)
    assert not image.acquired_at_is_guess
    assert (image.device, image.device_serial) == (device, "XR-1")
    assert (image.display_problem, image.door, image.received_by) == ("", "rest", clinician)
    patient = Patient.objects.get()
    assert (patient.identifier, patient.name, patient.sex) == ("P1", "Müller^Ünal", "F")
    assert not patient.is_synthetic
    assert image.series.study.patient == patient
    assert (image.series.modality, image.series.body_part) == ("DX", "CHEST")
    intake = Intake.objects.get()
    assert (intake.outcome, intake.image, intake.batch) == (Outcome.STORED, image, "b-1")
    assert (intake.filename, intake.by, intake.size) == ("film.dcm", clinician, len(data))
    entry = AuditEntry.objects.get(verb="imported")
    assert (entry.object_id, entry.patient_ref) == (str(image.pk), patient.pk)
    assert kept() == ["images"]
    assert image.path.endswith(".dcm")
    assert "film" not in image.path


def test_the_machine_gets_readings_and_its_configuration(send, device):
    send(make_dicom(KVP="120", SoftwareVersions="1.2"))
    values = {r.metric.key: r.value for r in Reading.objects.select_related("metric")}
    assert values["kvp"] == 120
    assert 0.005 < values["pixel_noise"] < 0.02
    assert 20 < values["pixel_mean"] < 80
    payload = TwinEvent.objects.filter(kind="config_reported").get().payload
    assert payload["config"]["software_versions"] == "1.2"


def test_one_signal_is_sent_inside_the_transaction(send):
    seen = []

    def listen(image, **_):
        seen.append(image.sha256)
        raise RuntimeError("the reader's rows can't be written")

    image_stored.connect(listen)
    try:
        with pytest.raises(RuntimeError):
            send()
    finally:
        image_stored.disconnect(listen)
    assert len(seen) == 1
    assert not Image.objects.exists()
    assert not Patient.objects.exists()


def test_a_failed_transaction_leaves_no_file_and_says_so(send, kept, monkeypatch):
    def broken(**_):
        raise RuntimeError("a defect")

    monkeypatch.setattr("imaging.services.rows.audit.record", broken)
    with pytest.raises(RuntimeError):
        send()
    assert kept() == []
    assert not Study.objects.exists()
    assert (Intake.objects.get().outcome, Intake.objects.get().code) == (
        Outcome.REFUSED,
        "internal_error",
    )


def test_the_same_bytes_are_one_row(send, kept):
    data = make_dicom()
    first, second = send(data), send(data, filename="copy.dcm")
    assert second.duplicate
    assert second.image == first.image
    assert Image.objects.count() == 1
    assert [i.outcome for i in Intake.objects.order_by("pk")] == ["stored", "duplicate"]
    assert Intake.objects.latest("pk").image == first.image
    assert kept() == ["images"]


def test_a_duplicate_counts_no_machine_twice(send):
    data = make_dicom(serial="UNKNOWN-7")
    send(data)
    send(data)
    assert InboxEntry.objects.get(serial="UNKNOWN-7").image_count == 1


def test_an_unknown_machine_waits_in_the_inbox_and_the_film_is_kept(send):
    image = send(make_dicom(serial="UNKNOWN-7")).image
    assert image.device is None
    assert image.device_serial == "UNKNOWN-7"
    assert InboxEntry.objects.get().manufacturer == "Acme"
    assert image.machine_facts["config"]["model_name"] == "Ray 1"


def test_a_film_that_names_no_machine_leaves_nothing_in_the_inbox(send):
    image = send(make_dicom(serial="", StationName=None)).image
    assert (image.device, image.device_serial) == (None, "")
    assert not InboxEntry.objects.exists()


def test_the_station_name_stands_in_for_a_missing_serial(send):
    assert send(make_dicom(serial="")).image.device_serial == "ROOM1"


def test_films_of_one_study_share_their_rows(send):
    study, series = "1.2.3.4", "1.2.3.4.5"
    send(make_dicom(study_uid=study, SeriesInstanceUID=series))
    send(make_dicom(study_uid=study, SeriesInstanceUID=series))
    assert (Study.objects.count(), Series.objects.count(), Image.objects.count()) == (1, 1, 2)


def test_the_demo_marks_its_rows(send):
    image = send(demo=True, attribution="by somebody, CC BY").image
    assert image.is_demo
    assert image.attribution == "by somebody, CC BY"
    assert image.series.study.patient.is_synthetic


def test_the_system_itself_may_send(send):
    image = send(actor=None).image
    assert image.received_by is None
    assert AuditEntry.objects.get(verb="imported").actor_name == "system"


def test_a_path_is_a_source_too(send, tmp_path: Path):
    from imaging.services.ingest import ingest_dicom

    path = tmp_path / "x.dcm"
    path.write_bytes(make_dicom())
    ingest_dicom(source=path, filename="x.dcm", door="command", actor=None)
    assert path.exists()
    with pytest.raises(InvalidInputError) as caught:
        ingest_dicom(source=tmp_path / "no", filename="no", door="command", actor=None)
    assert caught.value.code == "unreadable"


def test_everything_is_synced_before_the_rows(send, monkeypatch):
    """File, then its new name's folder, then the transaction."""
    order = []
    real_fsync, real_rename = os.fsync, Path.rename

    def fsync(descriptor):
        order.append("folder" if Path(f"/proc/self/fd/{descriptor}").is_dir() else "file")
        real_fsync(descriptor)

    def rename(self, target):
        order.append("rename")
        return real_rename(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(Path, "rename", rename)
    image_stored.connect(listener := lambda **_: order.append("rows"))
    try:
        send()
    finally:
        image_stored.disconnect(listener)
    assert order[0] == "file"
    assert order.index("file") < order.index("rename") < len(order) - 2
    # each new folder's name, then the file's own; then the rows
    assert order[-2:] == ["folder", "rows"]


# --- what contradicts


def test_same_uid_with_other_bytes_goes_to_quarantine(send, kept, archive, clinician):
    first = send(make_dicom(sop_uid="1.2.3")).image
    other = make_dicom(sop_uid="1.2.3", patient_id="P2")
    with pytest.raises(ConflictError) as caught:
        send(other, filename="other.dcm")
    row = QuarantinedFile.objects.get()
    assert caught.value.code == row.code == "sop_uid_conflict"
    assert caught.value.extra["existing"] == first.pk
    assert caught.value.extra["quarantined"] == row.pk
    assert (row.existing, row.claimed_patient, row.claimed_sop_uid) == (first, "P2", "1.2.3")
    assert (archive / row.path).read_bytes() == other
    assert kept() == ["images", "quarantine"]
    intake = Intake.objects.latest("pk")
    assert (intake.outcome, intake.quarantined, intake.by) == ("quarantined", row, clinician)
    assert AuditEntry.objects.filter(verb="quarantined", object_id=str(row.pk)).exists()
    assert not Patient.objects.filter(identifier="P2").exists()


def test_the_same_picture_under_another_patient_goes_to_quarantine(send):
    pixels = make_pixels(seed="one picture")
    first = send(make_dicom(pixels=pixels)).image
    with pytest.raises(ConflictError) as caught:
        send(make_dicom(pixels=pixels, patient_id="P2"))
    assert caught.value.code == "identity_conflict"
    assert "patient" in caught.value.message
    assert QuarantinedFile.objects.get().existing == first


def test_the_same_picture_from_another_machine_goes_to_quarantine(send, kept):
    pixels = make_pixels(seed="one picture")
    send(make_dicom(pixels=pixels))
    with pytest.raises(ConflictError) as caught:
        send(make_dicom(pixels=pixels, serial="XR-2"))
    assert "machine" in caught.value.message
    # the contested film counts for no machine
    assert [e.serial for e in InboxEntry.objects.all()] == ["XR-1"]
    assert kept() == ["images", "quarantine"]


def test_an_alias_is_no_other_machine(send, device):
    from devices.models import DeviceAlias

    DeviceAlias.objects.create(device=device, value="OLD-1")
    pixels = make_pixels(seed="one picture")
    send(make_dicom(pixels=pixels, serial="XR-1"))
    assert send(make_dicom(pixels=pixels, serial="OLD-1")).image.device == device


@pytest.mark.parametrize("syntax", [RLELossless, DeflatedExplicitVRLittleEndian])
def test_another_packing_is_the_same_picture(send, syntax):
    pixels = make_pixels(seed="one picture")
    send(make_dicom(pixels=pixels))
    with pytest.raises(ConflictError):
        send(make_dicom(pixels=pixels, patient_id="P2", transfer_syntax=syntax))


def test_an_inverted_packing_is_the_same_picture(send):
    pixels = make_pixels(seed="one picture")
    send(make_dicom(pixels=pixels))
    with pytest.raises(ConflictError):
        send(make_dicom(pixels=4095 - pixels, photometric="MONOCHROME1", patient_id="P2"))


def test_the_same_picture_of_the_same_patient_may_be_sent_as_another_object(send):
    pixels = make_pixels(seed="one picture")
    send(make_dicom(pixels=pixels))
    assert not send(make_dicom(pixels=pixels)).duplicate
    assert Image.objects.count() == 2


def test_blank_films_prove_nothing(send):
    import numpy as np

    blank = np.zeros((64, 48), dtype=np.uint16)
    send(make_dicom(pixels=blank))
    send(make_dicom(pixels=blank, patient_id="P2"))
    assert Image.objects.filter(pixel_sha256="").count() == 2


def test_a_study_belongs_to_one_patient(send):
    send(make_dicom(study_uid="1.2.3.4"))
    with pytest.raises(ConflictError) as caught:
        send(make_dicom(study_uid="1.2.3.4", patient_id="P2"))
    assert caught.value.code == "identity_conflict"
    assert "study" in caught.value.message


def test_a_series_belongs_to_one_study(send):
    send(make_dicom(SeriesInstanceUID="1.2.3.4"))
    with pytest.raises(ConflictError) as caught:
        send(make_dicom(SeriesInstanceUID="1.2.3.4"))
    assert "series" in caught.value.message


def test_the_same_contested_file_is_kept_once(send, kept):
    send(make_dicom(sop_uid="1.2.3"))
    other = make_dicom(sop_uid="1.2.3")
    for _ in range(2):
        with pytest.raises(ConflictError):
            send(other)
    assert QuarantinedFile.objects.count() == 1
    assert Intake.objects.filter(outcome="quarantined").count() == 2
    assert kept() == ["images", "quarantine"]


# --- pictures


@pytest.mark.parametrize(
    ("data", "bits"),
    [
        (make_picture(kind="PNG"), 8),
        (make_picture(kind="JPEG"), 8),
        (make_picture(kind="PNG", mode="I;16"), 16),
        (make_picture(kind="PNG", mode="RGB"), 8),
        (make_picture(kind="JPEG", mode="RGB"), 8),
    ],
)
def test_a_picture_becomes_dicom(send_picture, archive, device, data, bits):
    at = datetime(2025, 3, 4, 10, 20, 30, tzinfo=UTC)
    image = send_picture(data, acquired_at=at, view="ap").image
    assert image.sha256 == hashlib.sha256(data).hexdigest()
    assert (image.acquired_at, image.acquired_at_is_guess) == (at, False)
    assert (image.device, image.view_position, image.bits_stored) == (device, "AP", bits)
    assert image.burned_in == "YES"  # nobody looked
    assert (image.rows, image.columns) == (64, 48)
    stored = pydicom.dcmread(archive / image.path)
    assert stored.PatientID == "P1"
    assert stored.SOPInstanceUID == image.sop_instance_uid
    assert image.sop_instance_uid.startswith("2.25.")
    assert stored.pixel_array.shape == (64, 48)
    assert image.size == (archive / image.path).stat().st_size


def test_pixels_of_a_picture_are_the_pictures(send_picture):
    import numpy as np

    from imaging import pixels

    data = make_picture(kind="PNG", seed=5)
    frame = pixels.load(send_picture(data).image)
    assert np.array_equal(frame.pixels, make_pixels(bits=8, seed=5))


def test_the_same_picture_bytes_are_one_row_with_stable_uids(send_picture, kept):
    data = make_picture()
    first = send_picture(data)
    again = send_picture(data)
    assert again.duplicate
    assert again.image == first.image
    assert kept() == ["images"]
    uid = first.image.sop_instance_uid
    from imaging.services.film import _uid

    assert uid == _uid(hashlib.sha256(data).hexdigest(), "instance")


def test_a_picture_without_time_has_the_receipts_as_a_guess(send_picture):
    image = send_picture(make_picture()).image
    assert image.acquired_at_is_guess
    assert abs((image.acquired_at - image.received_at).total_seconds()) < 60


@pytest.mark.parametrize("other", [{"patient_id": "P2"}, {"device_serial": "XR-2"}])
def test_the_same_picture_said_to_be_another_patients_is_contested(
    send_picture, archive, kept, other
):
    data = make_picture()
    send_picture(data)
    with pytest.raises(ConflictError) as caught:
        send_picture(data, **other)
    assert caught.value.code == "identity_conflict"
    row = QuarantinedFile.objects.get()
    # what was sent is kept, not what we made of it
    assert (archive / row.path).read_bytes() == data
    assert kept() == ["images", "quarantine"]


def test_two_wrong_claims_on_one_picture_are_two_rows(send_picture):
    data = make_picture()
    send_picture(data)
    for patient in ("P2", "P3"):
        with pytest.raises(ConflictError):
            send_picture(data, patient_id=patient)
    assert {q.claimed_patient for q in QuarantinedFile.objects.all()} == {"P2", "P3"}


def test_a_file_is_streamed_not_loaded(clinician):
    """The door reads in chunks: a huge file never lies in memory."""
    sizes = []

    class Source(io.BytesIO):
        def read(self, size=-1):
            sizes.append(size)
            return super().read(size)

    with storage.receive(Source(b"x" * 3_000_000)) as file:
        assert file.size == 3_000_000
    assert max(sizes) <= 1 << 20
    assert min(sizes) > 0
