"""Photos and documents of work orders."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import BinaryIO

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.services import audit
from devices import checklist as steps_of
from devices.models import OrderFile, WorkOrder
from devices.models.maintenance import OrderState as S
from twinhealth.errors import ConflictError, NotFoundError

from .kept_files import checked_kind, keep, shown_name
from .order_changes import AnyRequest, locked, remark

MAX_FILES = 50


def attach(
    *,
    order: WorkOrder,
    actor: User,
    source: BinaryIO,
    filename: str,
    step: int | None = None,
    request: AnyRequest = None,
) -> OrderFile:
    """Add a document to an order, or the photo that one of its steps asks for.

    A photo takes the place of one sent before, which stays among the order's files. What is on a
    picture is kept as it is, so nobody photographs a patient or a name.

    Args:
        order: which.
        actor: who sends it.
        source: the file.
        filename: as sent.
        step: place of the photo's step, from 0; documents have none.
        request: for the audit trail.

    Raises:
        InvalidInputError: `file_type`, `file_broken`, `empty_file`, `not_a_photo_step`.
        TooLargeError: `file_too_large`.
        ConflictError: `not_in_progress` for a photo, `too_many_files`.
        UnavailableError: `storage_unavailable`.
    """
    relative = f"orders/{uuid.uuid4().hex}"
    path = Path(settings.MEDIA_ROOT) / relative
    try:
        size, sha256 = keep(source, path, most=settings.MAX_ORDER_FILE_BYTES)
        kind = checked_kind(path, photo=step is not None)
        return _attached(
            OrderFile(
                order=order,
                step=step,
                filename=shown_name(filename),
                path=relative,
                kind=kind,
                size=size,
                sha256=sha256,
                by=actor,
            ),
            actor,
            request,
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@transaction.atomic
def _attached(file: OrderFile, actor: User, request: AnyRequest) -> OrderFile:
    order = locked(file.order)
    if order.files.count() >= MAX_FILES:
        raise ConflictError(
            "too_many_files", f"An order has at most {MAX_FILES} files.", limit=MAX_FILES
        )
    file.save(force_insert=True)
    if file.step is not None:
        if order.state not in {S.IN_PROGRESS, S.ON_HOLD}:
            raise ConflictError(
                "not_in_progress",
                f"This order is {order.get_state_display()}; its checklist can't be changed.",
                state=order.state,
            )
        order.checklist = steps_of.with_photo(order.checklist, file.step, file.pk)
        order.save(update_fields=["checklist"])
    audit.record(
        actor=actor, verb="attached", obj=file, request=request, detail={"sha256": file.sha256}
    )
    remark(order, actor, f"attached {file.filename}"[:1000], "attached", request)
    return file


def get(order: WorkOrder, pk: int) -> OrderFile:
    """One file of an order.

    Raises:
        NotFoundError: `file_not_found`.
    """
    found = OrderFile.objects.filter(order=order, pk=pk).first()
    if found is None:
        raise NotFoundError("file_not_found", "This order has no such file.")
    return found
