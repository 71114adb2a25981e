"""Rows in every state a test needs, made directly: no file, no queue, no model."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from detection.models import DetectionRun, DetectorVersion, Finding, RunState, VersionState
from detection.services.worklist import refresh_items
from devices.models import Device, DeviceModel
from imaging.models import Image, Series, Study
from patients.models import Patient

THRESHOLDS = {"covid": 0.5, "pneumonia": 0.4, "normal": 0.3}
_numbers = itertools.count(1)
Films = Callable[..., Image]


def make_user(role: str = Role.CLINICIAN, **fields: Any) -> User:
    n = next(_numbers)
    user = User(username=fields.pop("username", f"{role}{n}"), role=role, **fields)
    user.set_password("correct horse battery")
    user.save()
    return user


def make_version(state: str = VersionState.ACTIVE, **fields: Any) -> DetectorVersion:
    n = next(_numbers)
    defaults = {
        "name": f"test-{n}",
        "weights_sha256": f"{n:064x}",
        "weights_path": f"test-{n}.pth",
        "config": "light",
        "classes": ["covid", "pneumonia", "normal"],
        "thresholds": THRESHOLDS,
    }
    return DetectorVersion.objects.create(state=state, **(defaults | fields))


def make_device(**fields: Any) -> Device:
    n = next(_numbers)
    model, _ = DeviceModel.objects.get_or_create(manufacturer="Acme", name="Ray", modality="DX")
    return Device.objects.create(
        **({"serial": f"SN{n}", "name": f"XR-{n}", "model": model} | fields)
    )


def make_image(patient: Patient | None = None, **fields: Any) -> Image:
    """A film of 400 x 300 pixels (columns x rows); `received_ago` sets how long it waits."""
    n = next(_numbers)
    if patient is None:
        patient = Patient.objects.create(
            identifier=f"P{n}", name=f"Secret^Name{n}", birth_date=datetime(1958, 1, 2, tzinfo=UTC)
        )
    ago = fields.pop("received_ago", None)
    study = Study.objects.create(study_instance_uid=f"1.2.{n}", patient=patient)
    series = Series.objects.create(series_instance_uid=f"1.2.{n}.1", study=study, modality="DX")
    defaults: dict[str, Any] = {
        "sop_instance_uid": f"1.2.{n}.1.1",
        "sop_class_uid": "1.2.840.10008.5.1.4.1.1.1.1",
        "transfer_syntax_uid": "1.2.840.10008.1.2.1",
        "sha256": f"{n:064x}",
        "path": f"test/{n}.dcm",
        "size": 1000,
        "rows": 300,
        "columns": 400,
        "bits_stored": 12,
        "photometric": "MONOCHROME2",
        "view_position": "PA",
        "acquired_at": timezone.now(),
        "door": "rest",
    }
    image = Image.objects.create(series=series, **(defaults | fields))
    if ago is not None:
        image.received_at = timezone.now() - ago
        image.save(update_fields=["received_at"])
    return image


def make_run(
    image: Image,
    version: DetectorVersion,
    state: str = RunState.DONE,
    boxes: tuple[tuple[Any, ...], ...] = (),
    **fields: Any,
) -> DetectionRun:
    """A run in any state, with findings `(label, score)` or `(label, score, x, y, w, h)`."""
    now = timezone.now()
    defaults: dict[str, Any] = {"queued_at": now, "sent_at": now, "state": state}
    if state == RunState.RUNNING:
        defaults |= {
            "lease_token": f"token-{next(_numbers)}",
            "lease_until": now + timedelta(minutes=2),
            "attempts": 1,
            "started_at": now,
        }
    if state in {RunState.DONE, RunState.FAILED, RunState.REFUSED}:
        defaults |= {"finished_at": now}
    if state == RunState.DONE:
        defaults |= {"seconds": 0.2, "trust_at": now, "trust_device_id": image.device_id}
    run = DetectionRun.objects.create(image=image, version=version, **(defaults | fields))
    for label, score, *box in boxes:
        x, y, w, h = box or (20.0, 30.0, 100.0, 120.0)
        Finding.objects.create(run=run, label=label, score=score, x=x, y=y, w=w, h=h)
    refresh_items(image_ids=[image.pk])
    return run
