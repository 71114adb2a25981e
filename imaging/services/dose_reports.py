"""A radiation dose report comes in: its exposures become readings of the machine, once."""

from __future__ import annotations

import re
from dataclasses import dataclass

import structlog
from django.db import IntegrityError, transaction

from accounts.services import audit
from devices.services.from_image import note_exposure
from devices.services.identify import clean_serial, find, find_or_inbox
from imaging.decoding import client
from imaging.dose import DoseReportFacts, exposures_from_json, exposures_to_json
from imaging.models import DoseReport, Intake, Outcome
from twinhealth.errors import ConflictError, DomainError, InvalidInputError

from . import storage
from .ingest import Delivery, intake_fields, refuse

log = structlog.get_logger(__name__)

_UID = re.compile(r"[0-9.]{1,64}")
_BATCH = 200


@dataclass(frozen=True, slots=True)
class DoseResult:
    """What became of a good report; `duplicate`: the same bytes were there already."""

    report: DoseReport
    intake: Intake
    duplicate: bool


def ingest_dose_report(*, source: storage.Source, delivery: Delivery) -> DoseResult:
    """Keep the report and note its exposures; when this returns, it's durable.

    Args:
        source: path or file object.
        delivery: who brought it, and how.

    Raises:
        InvalidInputError, TooLargeError: codes of `imaging.decoding.dose.read_report` and
            `imaging.decoding.client`, `uid_invalid`.
        ConflictError: `sop_uid_conflict`: other bytes under a known UID.
        UnavailableError: `storage_full`, `storage_unavailable`.
        Each refusal leaves an `Intake` row and no file.
    """
    sha256, size = "", 0
    try:
        with storage.receive(source) as sent:
            sha256, size = sent.sha256, sent.size
            facts = client.dose_report(sent.path)
            if not _UID.fullmatch(facts.sop_instance_uid):
                raise InvalidInputError(
                    "uid_invalid", "The report's SOP Instance UID is not a valid UID."
                )
            return _store(sent, facts, delivery)
    except DomainError as error:
        refuse(delivery=delivery, error=error, sha256=sha256, size=size)
        raise


def _store(sent: storage.Incoming, facts: DoseReportFacts, delivery: Delivery) -> DoseResult:
    path = storage.place(sent.path, folder="dose-reports", suffix=".dcm")
    try:
        try:
            result = _rows(sent, facts, delivery, path)
        except IntegrityError:  # the same report at the same moment: the winner is there now
            result = _rows(sent, facts, delivery, path)
    except BaseException:
        storage.remove(path)
        raise
    if result.duplicate:
        storage.remove(path)
    log.info("dose_report_stored", report=result.report.pk, duplicate=result.duplicate)
    return result


@transaction.atomic
def _rows(
    sent: storage.Incoming, facts: DoseReportFacts, delivery: Delivery, path: str
) -> DoseResult:
    found = DoseReport.objects.filter(sop_instance_uid=facts.sop_instance_uid).first()
    if found is not None and found.sha256 != sent.sha256:
        raise ConflictError(
            "sop_uid_conflict", "Another dose report has this UID already; this one isn't kept."
        )
    duplicate = found is not None
    if found is None:
        last = facts.exposures[-1].at
        named = bool(clean_serial(facts.machine.serial))
        device = find_or_inbox(name=facts.machine, seen_at=last) if named else None
        found = DoseReport.objects.create(
            sop_instance_uid=facts.sop_instance_uid,
            sha256=sent.sha256,
            path=path,
            size=sent.size,
            device=device,
            device_serial=clean_serial(facts.machine.serial),
            events=facts.events,
            exposures=exposures_to_json(facts.exposures),
            door=delivery.door,
            received_by=delivery.actor,
        )
        _note(found)
    intake = Intake.objects.create(
        **intake_fields(delivery),
        outcome=Outcome.DUPLICATE if duplicate else Outcome.STORED,
        message=f"Radiation dose report with {found.events} exposures.",
        sha256=sent.sha256,
        size=sent.size,
    )
    audit.record(
        actor=delivery.actor,
        verb="imported again" if duplicate else "imported",
        obj=found,
        request=delivery.request,
        detail={"door": delivery.door, "sha256": sent.sha256},
    )
    return DoseResult(found, intake, duplicate)


def _note(report: DoseReport) -> None:
    if report.device is None:
        return
    for exposure in exposures_from_json(report.exposures):
        note_exposure(device=report.device, at=exposure.at, readings=exposure.readings)


def link_waiting_reports() -> int:
    """Give reports without a machine the one whose serial or alias they name; how many that was."""
    linked = 0
    waiting = DoseReport.objects.filter(device=None).exclude(device_serial="").order_by("pk")
    for pk, serial in waiting.values_list("pk", "device_serial")[:_BATCH]:
        if find(serial) is not None:
            linked += _link(pk)
    return linked


@transaction.atomic
def _link(pk: int) -> bool:
    report = (
        DoseReport.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(pk=pk, device=None)
        .first()
    )
    if report is None:
        return False
    report.device = find(report.device_serial)
    report.save(update_fields=["device"])
    _note(report)
    return report.device is not None
