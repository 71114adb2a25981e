"""Weights that somebody sends: stored as data here, read by a worker in `services.weights_check`.

The web process never opens the file: it counts, hashes and stores its bytes.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Mapping
from typing import Any, BinaryIO, Final

from django.conf import settings
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.manifest import Manifest, parse_manifest
from detection.models import DetectorVersion, WeightsUpload
from detection.tasks import check_upload_task
from imaging.services import storage
from twinhealth.errors import ConflictError, InvalidInputError, TooLargeError

from .evidence import MOST_BYTES as MOST_EVIDENCE_BYTES
from .versions import refuse_taken_name

FOLDER: Final = "weights"
MOST_MANIFEST_BYTES: Final = 1024**2


def most_bytes() -> int:
    """Of a whole upload: weights, manifest and evidence."""
    return settings.MAX_WEIGHTS_BYTES + MOST_MANIFEST_BYTES + MOST_EVIDENCE_BYTES


def receive_form(
    files: Mapping[str, Any], *, user: User, request: HttpRequest | None = None
) -> WeightsUpload:
    """`receive_weights` of a form's files `weights`, `manifest` and, if there, `evidence`.

    Raises:
        InvalidInputError: `file_missing`; and what `receive_weights` raises.
    """
    for name in ("weights", "manifest"):
        if name not in files:
            raise InvalidInputError(
                "file_missing", f"The form has no file called {name}.", field=name
            )
    return receive_weights(
        weights=files["weights"].file,
        manifest=files["manifest"].read(MOST_MANIFEST_BYTES + 1),
        evidence=files["evidence"].read(MOST_EVIDENCE_BYTES + 1) if "evidence" in files else b"",
        user=user,
        request=request,
    )


def receive_weights(
    *,
    weights: BinaryIO,
    manifest: bytes,
    evidence: bytes = b"",
    user: User,
    request: HttpRequest | None = None,
) -> WeightsUpload:
    """Store an uploaded weights file durably and have it checked.

    Args:
        weights: the file, from its beginning.
        manifest: the JSON that goes with it.
        evidence: a report of `evaluate_detector` on val, or nothing.
        user: who sends it.
        request: for the audit.

    Raises:
        TooLargeError: `file_too_large`, `manifest_too_large`, `evidence_too_large`.
        InvalidInputError: `manifest_invalid`, `weights_wrong_hash`, `empty_file`.
        ConflictError: `version_known`, `version_name_taken`, `upload_checking`.
        UnavailableError: `storage_full`, `storage_unavailable`.
    """
    described = _manifest(manifest)
    if len(evidence) > MOST_EVIDENCE_BYTES:
        raise _too_large("evidence_too_large", "A report", MOST_EVIDENCE_BYTES)
    _refuse_known(described)
    with contextlib.ExitStack() as kept:
        with storage.receive(weights, most=settings.MAX_WEIGHTS_BYTES) as incoming:
            if incoming.sha256 != described.sha256:
                raise InvalidInputError(
                    "weights_wrong_hash",
                    f"The weights file has the sha256 {incoming.sha256[:12]}…, the manifest names "
                    f"{described.sha256[:12]}…. The two don't belong together, or the file was "
                    "damaged on its way.",
                )
            path = storage.place(incoming.path, folder=FOLDER, suffix=".pth")
        kept.callback(storage.remove, path)
        beside = _place_evidence(evidence)
        if beside:
            kept.callback(storage.remove, beside)
        now = timezone.now()
        upload = WeightsUpload(
            name=described.name,
            sha256=described.sha256,
            size=incoming.size,
            path=path,
            evidence_path=beside,
            manifest=described.as_json(),
            uploaded_by=user,
            uploaded_at=now,
            sent_at=now,
        )
        _store(upload, user, request)
        kept.pop_all()  # the row speaks of the files now
    return upload


def _store(upload: WeightsUpload, user: User, request: HttpRequest | None) -> None:
    try:
        with transaction.atomic():
            upload.save()
            audit.record(
                actor=user,
                verb="uploaded_weights",
                obj=upload,
                request=request,
                detail={"name": upload.name, "sha256": upload.sha256, "bytes": upload.size},
            )
            check_upload_task.delay_on_commit(upload.pk)  # type: ignore[attr-defined]
    except IntegrityError:  # `weights_upload_checked_once`
        raise ConflictError(
            "upload_checking", "The same file is being checked already; wait for its result."
        ) from None


def _place_evidence(evidence: bytes) -> str:
    if not evidence:
        return ""
    with storage.receive(io.BytesIO(evidence), most=MOST_EVIDENCE_BYTES) as incoming:
        return storage.place(incoming.path, folder=FOLDER, suffix=".val.json")


def _manifest(content: bytes) -> Manifest:
    if len(content) > MOST_MANIFEST_BYTES:
        raise _too_large("manifest_too_large", "A manifest", MOST_MANIFEST_BYTES)
    return parse_manifest(content, name="that was sent")


def _too_large(code: str, what: str, most: int) -> TooLargeError:
    return TooLargeError(code, f"{what} has at most {most} bytes.", max_bytes=most)


def _refuse_known(manifest: Manifest) -> None:
    known = DetectorVersion.objects.filter(weights_sha256=manifest.sha256).first()
    if known is not None:
        raise ConflictError(
            "version_known",
            f"These weights are registered already, as {known.name}.",
            version=known.pk,
        )
    refuse_taken_name(manifest)
