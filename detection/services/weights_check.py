"""Reading an uploaded weights file for the first time: in a worker, never in the web process.

A file is data: it is read with `weights_only=True` after its hash and its declared sizes, fits its
network key by key, and must read a test picture with finite numbers. What fails leaves a sentence
and no file.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Final

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
from detection.manifest import Manifest, parse_manifest
from detection.models import UploadState, WeightsUpload
from imaging.frame import Frame
from imaging.services import storage
from twinhealth.errors import DomainError, InvalidInputError

from . import engine
from .evidence import import_evidence, reports_in
from .versions import register_version

log = structlog.get_logger(__name__)
MOST_TRIES: Final = 2
LEASE = timedelta(seconds=settings.RUN_LEASE_SECONDS * 3)
# what is wrong here and now, and not with the file
_NOT_THE_FILE: Final = frozenset(
    {"weights_missing", "storage_full", "storage_unavailable", "detector_no_device"}
)


def uploads_waiting() -> QuerySet[WeightsUpload]:
    """Files that a worker may begin to check: nobody is at them, or a worker that died."""
    free = Q(lease_until=None) | Q(lease_until__lt=timezone.now())
    return WeightsUpload.objects.filter(free, state=UploadState.CHECKING)


def check_upload(*, upload_id: int) -> UploadState | None:
    """Check an uploaded file; it becomes a candidate, or is removed with the reason told.

    Twice the same message does nothing. A worker that dies of the file (memory, time) is followed
    by one more try, then the file is refused.

    Returns:
        What became of it; `None` if another worker has it, or it waits for another try.
    """
    upload = _claim(upload_id)
    if upload is None:
        return None
    if upload.attempts > MOST_TRIES:
        why = "The worker died each time it read the file; it may be too large for this machine."
        return _refuse(upload, "check_died", why)
    engine.forget()  # one detector at a time in a worker's memory
    try:
        return _accept(upload, _looked_at(upload))
    except SoftTimeLimitExceeded:
        log.warning("weights_check_too_slow", upload=upload_id)
    except DomainError as error:
        if error.code not in _NOT_THE_FILE:
            stored = storage.full_path(upload.path).name
            said = error.message.replace(stored, str(upload.manifest["file"]))
            return _refuse(upload, error.code, said)
        log.warning("weights_check_put_off", upload=upload_id, code=error.code)
    except (ValueError, RuntimeError, OverflowError, MemoryError, TypeError, KeyError):
        log.exception("weights_check_broke", upload=upload_id)
        return _refuse(upload, "weights_damaged", "The file can't be read as weights.")
    WeightsUpload.objects.filter(pk=upload.pk, state=UploadState.CHECKING).update(lease_until=None)
    return None


def _claim(upload_id: int) -> WeightsUpload | None:
    taken = (
        uploads_waiting()
        .filter(pk=upload_id)
        .update(lease_until=timezone.now() + LEASE, attempts=F("attempts") + 1)
    )
    found = WeightsUpload.objects.select_related("by").filter(pk=upload_id)
    return found.first() if taken else None


def _looked_at(upload: WeightsUpload) -> Manifest:
    """Read the file and a test picture with it; the manifest, if all of it is well."""
    manifest = parse_manifest(json.dumps(upload.manifest).encode(), name="that was sent")
    path = storage.full_path(upload.path)
    detector = load_detector(weights=path, expected_sha256=upload.sha256)
    _same(manifest, detector)
    detector.predict(_test_picture(), min_score=0.0)
    return manifest


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


def _accept(upload: WeightsUpload, manifest: Manifest) -> UploadState:
    with transaction.atomic():
        version = register_version(manifest, uploaded_to=upload.path, user=upload.by)
        if upload.evidence:
            reports = reports_in(upload.evidence)
            import_evidence(version=version, reports=reports, user=upload.by)
        _end(upload, UploadState.ACCEPTED)
        upload.version = version
        upload.save()
        audit.record(
            actor=upload.by,
            verb="registered",
            obj=version,
            detail={"version": version.name, "upload": upload.pk},
        )
    log.info("weights_accepted", version=version.name)
    return UploadState.ACCEPTED


def _refuse(upload: WeightsUpload, code: str, why: str) -> UploadState:
    storage.remove(upload.path)  # first: after the row nobody would look for the file
    with transaction.atomic():
        _end(upload, UploadState.REFUSED)
        upload.path, upload.reason_code, upload.reason = "", code[:64], why[:500]
        upload.save()
        audit.record(
            actor=upload.by,
            verb="refused_weights",
            obj=upload,
            detail={"name": upload.name, "code": code},
        )
    log.warning("weights_refused", upload=upload.pk, code=code)
    return UploadState.REFUSED


def _end(upload: WeightsUpload, state: UploadState) -> None:
    upload.state, upload.ended_at, upload.lease_until = state, timezone.now(), None
    upload.evidence = {}
