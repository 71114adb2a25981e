"""One row of everything, all with the same number, for tests that walk every address.

The number is far above what a sequence hands out, so that what a walked view makes never
collides with it. Everything that could tell who the patient is holds a canary.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from hashlib import sha256

from django.utils import timezone

from accounts.models import User
from detection.models import (
    DatasetExport,
    DatasetVersion,
    DetectionRun,
    DetectorVersion,
    Finding,
    ReRead,
    ReReadEvent,
    ReReadList,
    Review,
    Signature,
    WeightsUpload,
    WorklistItem,
)
from devices.csv_readings import Dialect
from devices.models import (
    Alert,
    Blackout,
    Component,
    DegradedSpan,
    Device,
    DeviceKey,
    DeviceModel,
    Downtime,
    InboxEntry,
    MaintenancePlan,
    Metric,
    ModelPlan,
    ModelPlanException,
    Notification,
    OrderFile,
    PersonSkill,
    Reading,
    ReadingImport,
    Rule,
    Supply,
    Webhook,
    WorkOrder,
)
from imaging.models import Image, Intake, QuarantinedFile, Series, Study
from inventory.models import (
    AuditFile,
    Contract,
    InventoryImport,
    Part,
    Recall,
    RecallCandidate,
    StockMovement,
    Vendor,
    Warranty,
)
from maintenance.models import CalendarFeed, CoveredHours
from notices.models import Notice
from patients.models import Observation, Patient
from planning.models import Scenario, Suggestion
from planning.simulation.outcome import NAMES
from quality.models import Instrument, Protocol, ProtocolPlan, ProtocolVersion, QAFile, QASession
from reading.models import (
    CriticalResult,
    HelpRequest,
    OnCallList,
    ReadingGroup,
    ReadingPolicy,
    ReportDraft,
    SavedView,
    TextBlock,
)

NUMBER = 700_001
BORN = date(1931, 7, 23)
# parts of one identity; the last three are the birth date as programs write it
CANARIES = (
    "CanaryName", "CanaryGiven", "CANARY-ID", "CANARY-ISSUER", "CANARY-ACCESSION", "CANARY-FILE",
    "1931-07-23", "19310723", "23 Jul 1931",
)  # fmt: skip


def build() -> None:
    """Make the rows."""
    pk = NUMBER
    now = timezone.now().replace(microsecond=0)
    user = User.objects.create_user("walked-user", role="clinician", pk=pk)
    _devices(pk, now, user)
    _inventory(pk, now, user)
    patient = Patient.objects.create(
        pk=pk, identifier="CANARY-ID", issuer="CANARY-ISSUER", name="CanaryName^CanaryGiven",
        birth_date=BORN, sex="F",
    )  # fmt: skip
    Observation.objects.create(
        pk=pk, patient=patient, code="8867-4", value=70, unit="/min", source="form",
        effective_at=now - timedelta(hours=1),
    )  # fmt: skip
    image = _film(pk, now, patient)
    _reading(pk, now, image, user)
    _re_read(pk, now, image, user)


def _devices(pk: int, now: datetime, user: User) -> None:
    model = DeviceModel.objects.create(pk=pk, manufacturer="Acme", name="Ray", modality="DX")
    device = Device.objects.create(pk=pk, serial="SN-WALK", name="XR-Walk", model=model)
    metric = Metric.objects.create(pk=pk, device_model=model, key="noise", label="Noise", unit="1")
    rule = Rule.objects.create(pk=pk, metric=metric, name="noise", severity="act", high=1.0)
    Reading.objects.create(
        pk=pk, device=device, metric=metric, value=2, measured_at=now, source="dicom"
    )
    Component.objects.create(pk=pk, device=device, kind="tube", serial="T-1", installed_at=now)
    DeviceKey.objects.create(
        pk=pk, device=device, name="walk", prefix="0" * 12, digest="0" * 64, created_at=now
    )
    Alert.objects.create(
        pk=pk, device=device, rule=rule, severity="act", message="noise above its limit",
        since=now, opened_at=now, last_seen_at=now, value=2,
    )  # fmt: skip
    Supply.objects.create(pk=pk, name="Panel walk").members.create(device=device)
    hook = Webhook.objects.create(
        pk=pk, name="walk", url="https://example.org/", salt="s", created_at=now
    )
    Notification.objects.create(
        pk=pk, alert_id=pk, number=1, news="opened", severity="act", text="walked",
        channel="webhook", webhook=hook, state="dead", created_at=now,
    )  # fmt: skip
    DegradedSpan.objects.create(
        pk=pk, device=device, since=now - timedelta(hours=2), reason="walked", source="person",
        by=user, at=now, changed_at=now,
    )  # fmt: skip
    InboxEntry.objects.create(
        pk=pk, serial="SN-NEW", image_count=1, first_seen_at=now, last_seen_at=now
    )
    ReadingImport.objects.create(
        pk=pk, filename="walk.csv", path="walk/none.csv", size=1, sha256="a" * 64,
        dialect=Dialect().to_json(), state="checked", touched_at=now,
    )  # fmt: skip
    plan = MaintenancePlan.objects.create(
        pk=pk, device=device, title="Yearly check", rrule="FREQ=YEARLY",
        starts_on=now.date(), created_by=user,
    )  # fmt: skip
    order = WorkOrder.objects.create(
        pk=pk, device=device, plan=plan, title="Yearly check", due_on=now.date(), state="planned"
    )
    OrderFile.objects.create(
        pk=pk, order=order, filename="walk.pdf", path="walk/none.pdf", kind="application/pdf",
        size=1, sha256="b" * 64, by=user,
    )  # fmt: skip
    of_model = ModelPlan.objects.create(
        pk=pk, device_model=model, title="Walk", rrule="FREQ=YEARLY", starts_on=now.date()
    )
    ModelPlanException.objects.create(pk=pk, model_plan=of_model, device=device, reason="walked")
    Downtime.objects.create(
        pk=pk, device=device, starts_at=now - timedelta(hours=3), ends_at=now - timedelta(hours=1),
        reason="walked", created_by=user,
    )  # fmt: skip
    engineer = User.objects.create_user("walked-engineer", role="engineer", pk=pk + 1)
    CalendarFeed.objects.create(
        pk=pk, user=engineer, name="walk", scope="all", digest=sha256(b"walk").hexdigest()
    )
    CoveredHours.objects.create(pk=pk, device=device, week=[[[480, 1020]]] * 7)
    PersonSkill.objects.create(pk=pk, person=user, name="walk", given_by=user)
    Blackout.objects.create(
        pk=pk, starts_on=now.date(), ends_on=now.date(), reason="walked", created_by=user
    )
    _quality(pk, now, device, plan, user)
    Scenario.objects.create(pk=pk, name="walk", made_by=user)
    Suggestion.objects.create(pk=pk, made_by=user, result=_schedule())
    Notice.objects.create(
        pk=pk, user=user, kind="order_due", subject=pk, occasion="walked", title="walked",
        path=f"/maintenance/orders/{pk}/", way="in_app", at=now, told_at=now,
    )  # fmt: skip


def _quality(pk: int, now: datetime, device: Device, plan: MaintenancePlan, user: User) -> None:
    rule = Rule.objects.create(
        pk=pk + 1, device_model=device.model, kind="qa", name="walk", severity="act"
    )
    protocol = Protocol.objects.create(pk=pk, name="Walk", device_model=device.model, rule=rule)
    protocol.current = ProtocolVersion.objects.create(
        pk=pk, protocol=protocol, number=1, reason="walked", by=user,
        tests=[{"key": "walk", "name": "Walk", "kind": "pass_fail"}],
    )  # fmt: skip
    protocol.save()
    ProtocolPlan.objects.create(pk=pk, protocol=protocol, plan=plan)
    Instrument.objects.create(pk=pk, name="walk", serial="1", calibrated_until=now.date())
    session = QASession.objects.create(
        pk=pk, device=device, protocol=protocol, version=protocol.current, performed_by=user,
        performed_at=now,
    )  # fmt: skip
    QAFile.objects.create(
        pk=pk, session=session, filename="walk.pdf", path="walk/qa.pdf", kind="application/pdf",
        size=1, sha256="c" * 64, by=user,
    )  # fmt: skip


def _inventory(pk: int, now: datetime, user: User) -> None:
    today = now.date()
    vendor = Vendor.objects.create(pk=pk, name="Walk", phone="1234")
    part = Part.objects.create(pk=pk, number="W-1", name="Walk", vendor=vendor, reorder_level=9)
    StockMovement.objects.create(pk=pk + 1, part=part, kind="receipt", amount=5)
    StockMovement.objects.create(pk=pk, part=part, kind="issue", amount=-2, order_id=pk, by=user)
    contract = Contract.objects.create(
        pk=pk, vendor=vendor, number="C-1", kind="full", starts_on=today, ends_on=today
    )
    contract.devices.add(pk)
    Warranty.objects.create(pk=pk, device_id=pk, vendor=vendor, until=today, by=user)
    recall = Recall.objects.create(
        pk=pk, reference="R-1", manufacturer="Acme", model_text="Ray", issued_on=today
    )
    candidate = RecallCandidate.objects.create(
        pk=pk, recall=recall, device_id=pk, sureness="likely", reasons=["walked"]
    )
    candidate.steps.create(verb="found", text="walked")
    AuditFile.objects.create(
        pk=pk, device_id=pk, starts_on=today, ends_on=today, folder="walk/none",
        requested_by=user, requested_by_name="walked", touched_at=now,
    )  # fmt: skip
    job = InventoryImport.objects.create(
        pk=pk, kind="parts", filename="walk.csv", path="walk/none-parts.csv", size=1,
        sha256="a" * 64, state="checked", counts={"added": 1}, touched_at=now, requested_by=user,
    )  # fmt: skip
    job.fates.create(line=2, key="W-2", fate="added", changes={"name": [None, "Walk"]})


def _schedule() -> dict[str, object]:
    """What a suggestion of nothing comes to."""
    schedules = ("present", "first_come", "suggestion")
    terms = ("risk", "over", "late", "exams", "clash", "total")
    return {
        "today": "2026-01-01", "days": 90, "runs": 50, "seed": 1, "sources": [], "unplaced": [],
        "figures": dict.fromkeys(schedules, dict.fromkeys(NAMES)),
        "differences": dict.fromkeys(schedules[1:], dict.fromkeys(NAMES)),
        "objective": dict.fromkeys(schedules, dict.fromkeys(terms, 0.0)),
    }  # fmt: skip


def _film(pk: int, now: datetime, patient: Patient) -> Image:
    study = Study.objects.create(
        pk=pk, study_instance_uid="1.2.3", patient=patient, accession_number="CANARY-ACCESSION"
    )
    series = Series.objects.create(pk=pk, series_instance_uid="1.2.3.4", study=study, modality="DX")
    image = Image.objects.create(
        pk=pk, series=series, sop_instance_uid="1.2.3.4.5", sop_class_uid="1.2",
        transfer_syntax_uid="1.2.840.10008.1.2.1", sha256="a" * 64, pixel_sha256="b" * 64,
        path="walk/none.dcm", size=1000, rows=100, columns=100, bits_stored=12,
        photometric="MONOCHROME2", acquired_at=now - timedelta(hours=1), door="rest",
        device_id=pk, device_serial="SN-WALK",
    )  # fmt: skip
    quarantined = QuarantinedFile.objects.create(
        pk=pk, code="identity_conflict", message="same picture, other patient", sha256="c" * 64,
        path="walk/quarantined.dcm", size=10, existing=image, claimed_patient="CANARY-ID",
        claimed_sop_uid="1.2.3.4.6",
    )  # fmt: skip
    Intake.objects.create(
        pk=pk, filename="CANARY-FILE.dcm", door="browser", outcome="stored", image=image
    )
    Intake.objects.create(
        pk=pk + 1, filename="CANARY-FILE-2.dcm", door="browser", outcome="quarantined",
        quarantined=quarantined,
    )  # fmt: skip
    return image


def _reading(pk: int, now: datetime, image: Image, user: User) -> None:
    version = DetectorVersion.objects.create(
        pk=pk, name="walk", weights_sha256="d" * 64, weights_path="walk/none.pth", config="light",
        classes=["covid", "pneumonia", "normal"],
        thresholds={"covid": 0.3, "pneumonia": 0.3, "normal": 0.3}, state="active",
    )  # fmt: skip
    run = DetectionRun.objects.create(
        pk=pk, image=image, version=version, state="done", queued_at=now, sent_at=now,
        started_at=now, finished_at=now, seconds=1.0,
    )  # fmt: skip
    finding = Finding.objects.create(
        pk=pk, run=run, label="covid", score=0.9, x=10, y=10, w=30, h=40
    )
    Review.objects.create(pk=pk, image=image, finding=finding, verdict="accept", by=user)
    SavedView.objects.create(pk=pk, user=user, name="walk", query={"show": "flagged"})
    HelpRequest.objects.create(pk=pk, image=image, by=user, reason="a second opinion", at=now)
    ReadingGroup.objects.create(pk=pk, name="walk")
    ReadingPolicy.objects.create(
        pk=pk, number=1, ceiling_minutes=90, reason="walked", by=user, by_name="walked", at=now
    )
    ReportDraft.objects.create(
        pk=pk, image=image, by=user, sections={"findings": "walked"}, revision=1, at=now
    )
    TextBlock.objects.create(
        pk=pk, section="findings", title="Walk", code="walk", text="{class} on the {side}."
    )
    on_call = OnCallList.objects.create(pk=pk, name="walk")
    on_call.steps.create(position=1, user=user, minutes=5)
    CriticalResult.objects.create(
        pk=pk, image=image, text="walked", on_call=on_call, author=user, author_name="walked",
        opened_at=now, step=1, told=user, next_at=now + timedelta(minutes=5),
    )  # fmt: skip
    dataset = DatasetVersion.objects.create(
        pk=pk, name="walk", number=1, sha256="e" * 64, counts={}, films_new=1, films_changed=0,
        films_gone=0, created_by=user,
    )  # fmt: skip
    DatasetExport.objects.create(
        pk=pk, name="walk", requested_by=user, requested_at=now, sent_at=now, state="done",
        finished_at=now, version=dataset, archive="none.zip", archive_bytes=1,
    )  # fmt: skip
    WeightsUpload.objects.create(
        pk=pk, name="sent", sha256="f" * 64, size=1, manifest={}, uploaded_by=user,
        uploaded_at=now, sent_at=now, state="refused", finished_at=now, code="walk", message="why",
    )  # fmt: skip
    WorklistItem.objects.update_or_create(
        image=image,
        defaults={
            "run": run, "run_state": "done", "flagged": True, "label": "covid", "score": 0.9,
            "needs_reader": True, "rank": 1.0, "waiting_since": datetime(2026, 1, 1, tzinfo=UTC),
        },
    )  # fmt: skip


def _re_read(pk: int, now: datetime, film: Image, user: User) -> None:
    """Another film of the patient, signed, on the list of the machine that was marked."""
    image = Image.objects.get(pk=film.pk)
    image.pk, image.sop_instance_uid, image.sha256 = pk + 1, "1.2.3.4.6", "9" * 64
    image.path = "walk/signed.dcm"
    image.save(force_insert=True)
    signature = Signature.objects.create(
        pk=pk, image=image, by=user, by_name="walked", at=now, conclusion="normal"
    )
    listed = ReReadList.objects.create(pk=pk, span_id=pk, filled_at=now)
    item = ReRead.objects.create(
        pk=pk, list=listed, image=image, why="negative", exposed_at=image.acquired_at,
        signed_at=signature.at, listed_at=now,
    )  # fmt: skip
    ReReadEvent.objects.create(pk=pk, item=item, at=now, by=user, verb="assigned", text="walked")
