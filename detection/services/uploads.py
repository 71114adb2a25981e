"""Weights that somebody sends: stored as data here, read by a worker in `services.weights_check`.

The web process never opens the file: it counts, hashes and stores its bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, BinaryIO

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
from .evidence import parse_evidence, reports_in
from .versions import refuse_taken_name

FOLDER = "weights"
MOST_MANIFEST_BYTES = 1024**2


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
        size=files["weights"].size,
        manifest=files["manifest"].read(MOST_MANIFEST_BYTES + 1),
        evidence=files["evidence"].read(MOST_EVIDENCE_BYTES + 1) if "evidence" in files else b"",
        user=user,
        request=request,
    )


def receive_weights(
    *,
    weights: BinaryIO,
    size: int,
    manifest: bytes,
    evidence: bytes = b"",
    user: User,
    request: HttpRequest | None = None,
) -> WeightsUpload:
    """Store an uploaded weights file durably and have it checked.

    Args:
        weights: the file, from its beginning.
        size: of it in bytes, as the door counted them.
        manifest: the JSON that goes with it.
        evidence: JSON with a report per set, or nothing.
        user: who sends it.
        request: for the audit.

    Raises:
        TooLargeError: `weights_too_large`, `manifest_too_large`, `evidence_too_large`.
        InvalidInputError: `manifest_invalid`, `evidence_invalid`, `weights_wrong_hash`,
            `empty_file`.
        ConflictError: `version_known`, `version_name_taken`, `upload_checking`.
        UnavailableError: `storage_full`, `storage_unavailable`.
    """
    if size > settings.MAX_WEIGHTS_BYTES:
        raise TooLargeError(
            "weights_too_large",
            f"A weights file has at most {settings.MAX_WEIGHTS_BYTES} bytes here.",
            max_bytes=settings.MAX_WEIGHTS_BYTES,
        )
    described = _manifest(manifest)
    reports: dict[str, Any] = parse_evidence(evidence) if evidence else {}
    if reports:
        reports_in(reports)
    _refuse_known(described)
    with storage.receive(weights) as incoming:
        if incoming.sha256 != described.sha256:
            raise InvalidInputError(
                "weights_wrong_hash",
                f"The weights file has the sha256 {incoming.sha256[:12]}…, the manifest names "
                f"{described.sha256[:12]}…. The two don't belong together, or the file was "
                "damaged on its way.",
            )
        path = storage.place(incoming.path, folder=FOLDER, suffix=".pth")
    upload = WeightsUpload(
        name=described.name,
        sha256=described.sha256,
        size=incoming.size,
        path=path,
        manifest=described.as_json(),
        evidence=reports,
        by=user,
        at=timezone.now(),
    )
    try:
        return _store(upload, user, request)
    except BaseException:
        storage.remove(path)
        raise


def _store(upload: WeightsUpload, user: User, request: HttpRequest | None) -> WeightsUpload:
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
            return upload
    except IntegrityError:
        raise ConflictError(
            "upload_checking", "The same file is being checked already; wait for its result."
        ) from None


def _manifest(content: bytes) -> Manifest:
    if len(content) > MOST_MANIFEST_BYTES:
        raise TooLargeError(
            "manifest_too_large",
            f"A manifest has at most {MOST_MANIFEST_BYTES} bytes.",
            max_bytes=MOST_MANIFEST_BYTES,
        )
    return parse_manifest(content, name="that was sent")


def _refuse_known(manifest: Manifest) -> None:
    known = DetectorVersion.objects.filter(weights_sha256=manifest.sha256).first()
    if known is not None:
        raise ConflictError(
            "version_known",
            f"These weights are registered already, as {known.name}.",
            version=known.pk,
        )
    refuse_taken_name(manifest)
