"""Reading an uploaded weights file for the first time: in a worker, never in the web process.

A file is data: it is read with `weights_only=True` after its hash and its declared sizes, fits its
network key by key, and must read a test picture with finite numbers. What fails leaves a sentence
and no file.
"""

from __future__ import annotations

import json
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import structlog
from celery.exceptions import SoftTimeLimitExceeded
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.services import audit
from detection.detectors.loader import load_detector
from detection.detectors.prediction import Detector
from detection.evaluation.headline import intervals
from detection.manifest import Manifest, parse_manifest
from detection.models import VAL, DetectorVersion, UploadState, WeightsUpload
from imaging.frame import Frame
from imaging.services import storage
from twinhealth.errors import DomainError, InvalidInputError

from . import engine
from .evidence import Content, checked, keep, read_report
from .versions import register_version

log = structlog.get_logger(__name__)
MOST_TRIES: Final = 2
DIED: Final = "The worker died each time it read the file; it may be too large for this machine."
# what is wrong here and now, and not with the file
_NOT_THE_FILE: Final = frozenset(
    {"weights_missing", "storage_full", "storage_unavailable", "detector_no_device"}
)
_BATCH: Final = 100


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a check found good: the manifest, and the evidence with its figures."""

    manifest: Manifest
    content: Content | None
    figures: dict[str, Any]


def check_upload(*, upload_id: int) -> UploadState | None:
    """Check an uploaded file; it becomes a candidate, or is removed with the reason told.

    Twice the same message does nothing. A worker that dies of the file (memory, time) is followed
    by one more try, then the file is refused.

    Returns:
        What became of it; `None` if another worker has it, or it waits for another try.
    """
    token = _claim(upload_id)
    if token is None:
        return None
    upload = WeightsUpload.objects.select_related("uploaded_by").get(pk=upload_id)
    engine.forget()  # one detector at a time in a worker's memory
    try:
        return _accept(upload, token, _looked_at(upload))
    except SoftTimeLimitExceeded:
        log.warning("weights_check_too_slow", upload=upload_id)
        if upload.attempts >= MOST_TRIES:
            return _refuse(upload, token, "check_died", DIED)
        _put_back(upload_id, token)
    except DomainError as error:
        if error.code not in _NOT_THE_FILE:
            stored = storage.full_path(upload.path).name
            said = error.message.replace(stored, str(upload.manifest["file"]))
            return _refuse(upload, token, error.code, said)
        log.warning("weights_check_put_off", upload=upload_id, code=error.code)
        _put_back(upload_id, token, attempts=F("attempts") - 1)  # no try of the file's
    except (ValueError, RuntimeError, OverflowError, MemoryError, TypeError, KeyError):
        log.exception("weights_check_broke", upload=upload_id)
        return _refuse(
            upload, token, "weights_damaged", "The file can't be read as weights of a detector."
        )
    return None


def requeue_lost_uploads(*, now: datetime | None = None) -> list[int]:
    """Uploads whose message or worker is gone; one without a try left is refused.

    Returns:
        Numbers of the uploads to send now.
    """
    now = now or timezone.now()
    late = now - timedelta(seconds=settings.RUN_RESEND_SECONDS)
    lost = WeightsUpload.objects.filter(
        Q(state=UploadState.CHECKING, lease_until__lt=now)
        | Q(state=UploadState.UPLOADED, sent_at__lt=late)
    )
    again = []
    for upload in lost.select_related("uploaded_by").order_by("pk")[:_BATCH]:
        if upload.state == UploadState.CHECKING:
            if upload.attempts >= MOST_TRIES:
                _refuse(upload, upload.lease_token, "check_died", DIED)
                continue
            taken = int(_put_back(upload.pk, upload.lease_token))
        else:
            taken = WeightsUpload.objects.filter(
                pk=upload.pk, state=UploadState.UPLOADED, sent_at=upload.sent_at
            ).update(sent_at=now)
        if taken:
            again.append(upload.pk)
    return again


def remove_refused_files() -> int:
    """Files of refused uploads that a dying worker left; the number removed."""
    refused = WeightsUpload.objects.filter(state=UploadState.REFUSED)
    left = list(refused.exclude(path="", evidence_path="")[:_BATCH])
    for upload in left:
        _remove_files(upload)
    return len(left)


def _claim(upload_id: int) -> str | None:
    token = str(uuid.uuid4())
    taken = WeightsUpload.objects.filter(
        pk=upload_id, state=UploadState.UPLOADED, attempts__lt=MOST_TRIES
    ).update(
        state=UploadState.CHECKING,
        lease_token=token,
        lease_until=timezone.now() + timedelta(seconds=settings.RUN_LEASE_SECONDS),
        attempts=F("attempts") + 1,
    )
    return token if taken else None


def _held(upload_id: int, token: str) -> QuerySet[WeightsUpload]:
    return WeightsUpload.objects.filter(pk=upload_id, state=UploadState.CHECKING, lease_token=token)


def _put_back(upload_id: int, token: str, **changes: Any) -> bool:
    """From `checking` to `uploaded`; beat sends it again after a while."""
    return bool(
        _held(upload_id, token).update(
            state=UploadState.UPLOADED,
            lease_token="",
            lease_until=None,
            sent_at=timezone.now(),
            **changes,
        )
    )


def _looked_at(upload: WeightsUpload) -> _Seen:
    """Read the file, a test picture with it, and its evidence."""
    manifest = parse_manifest(json.dumps(upload.manifest).encode(), name="that was sent")
    path = storage.full_path(upload.path)
    detector = load_detector(weights=path, expected_sha256=upload.sha256)
    _same(manifest, detector)
    detector.predict(_test_picture(), min_score=0.0)
    if not upload.evidence_path:
        return _Seen(manifest, None, {})
    report = storage.full_path(upload.evidence_path)
    rows = read_report(report, sha256=upload.sha256)
    return _Seen(manifest, checked(rows), intervals(rows))


def _same(manifest: Manifest, detector: Detector) -> None:
    """See that the file says of itself what its manifest says."""
    info = detector.version_info
    said = {
        "config": (manifest.config, info.config),
        "classes": (list(manifest.classes), list(info.classes)),
        "image_size": (manifest.image_size, info.image_size),
    }
    for key, (told, found) in said.items():
        if told != found:
            raise InvalidInputError(
                "manifest_differs",
                f"The manifest says that {key} is {told}, the weights file that it is {found}.",
            )


def _test_picture() -> Frame:
    """Grey noise: what is found in it is of no interest, only that reading it ends in numbers."""
    pixels = np.random.default_rng(0).integers(0, 4096, (320, 256)).astype(np.uint16)
    return Frame(pixels, "MONOCHROME2", 12)


def _accept(upload: WeightsUpload, token: str, seen: _Seen) -> UploadState | None:
    """From `checking` with our lease to `accepted`, version and evidence included, or not."""
    with transaction.atomic():
        known = DetectorVersion.objects.filter(weights_sha256=upload.sha256).first()
        if known is not None:
            raise InvalidInputError(
                "version_known", f"These weights were registered meanwhile, as {known.name}."
            )
        version = register_version(seen.manifest, uploaded_to=upload.path, user=upload.uploaded_by)
        if seen.content is not None:
            keep(
                version=version,
                content=seen.content,
                figures=seen.figures,
                name=VAL,
                user=upload.uploaded_by,
            )
        won = _end(upload, token, UploadState.ACCEPTED, version=version)
        if not won:
            transaction.set_rollback(True)
            log.warning("weights_check_lost_its_lease", upload=upload.pk)
            return None
        audit.record(
            actor=upload.uploaded_by,
            verb="registered",
            obj=version,
            detail={"version": version.name, "upload": upload.pk},
        )
    log.info("weights_accepted", version=version.name)
    return UploadState.ACCEPTED


def _refuse(upload: WeightsUpload, token: str, code: str, why: str) -> UploadState | None:
    """From `checking` with our lease to `refused`; the row first, as it finds the files again."""
    with transaction.atomic():
        if not _end(upload, token, UploadState.REFUSED, code=code[:64], message=why[:500]):
            return None
        audit.record(
            actor=upload.uploaded_by,
            verb="refused_weights",
            obj=upload,
            detail={"name": upload.name, "code": code},
        )
    _remove_files(upload)
    log.warning("weights_refused", upload=upload.pk, code=code)
    return UploadState.REFUSED


def _end(upload: WeightsUpload, token: str, state: UploadState, **changes: Any) -> bool:
    return bool(
        _held(upload.pk, token).update(
            state=state,
            lease_token="",
            lease_until=None,
            finished_at=timezone.now(),
            **changes,
        )
    )


def _remove_files(upload: WeightsUpload) -> None:
    for path in (upload.path, upload.evidence_path):
        if path:
            storage.remove(path)
    WeightsUpload.objects.filter(pk=upload.pk).update(path="", evidence_path="")
