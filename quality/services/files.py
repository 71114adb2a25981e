"""Photos and documents of a session, while it is a draft."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.services import audit
from devices.services.kept_files import checked_kind, keep, shown_name
from devices.services.order_changes import AnyRequest
from quality.models import QAFile, QASession
from twinhealth.errors import ConflictError

from .sessions import check_rights, locked_draft

MAX_FILES = 20


def attach(
    *,
    session: QASession,
    actor: User,
    source: BinaryIO,
    filename: str,
    request: AnyRequest = None,
) -> QAFile:
    """Add a JPEG, a PNG or a PDF; its hash stands in the certificate.

    Raises:
        InvalidInputError: `file_type`, `file_broken`, `empty_file`.
        TooLargeError: `file_too_large`.
        ConflictError: `already_signed`, `too_many_files`.
        NotPermittedError: `permission_denied`.
        UnavailableError: `storage_unavailable`.
    """
    check_rights(actor)
    relative = f"quality/{uuid.uuid4().hex}"
    path = Path(settings.MEDIA_ROOT) / relative
    try:
        size, sha256 = keep(source, path, most=settings.MAX_ORDER_FILE_BYTES)
        kind = checked_kind(path, photo=False)
        file = QAFile(
            session=session,
            filename=shown_name(filename),
            path=relative,
            kind=kind,
            size=size,
            sha256=sha256,
            by=actor,
        )
        return _attached(file, actor, request)
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@transaction.atomic
def _attached(file: QAFile, actor: User, request: AnyRequest) -> QAFile:
    session = locked_draft(file.session, None)
    if session.files.count() >= MAX_FILES:
        raise ConflictError(
            "too_many_files", f"A session has at most {MAX_FILES} files.", limit=MAX_FILES
        )
    file.save(force_insert=True)
    audit.record(
        actor=actor, verb="attached", obj=session, request=request, detail={"sha256": file.sha256}
    )
    return file
