"""Photos and documents of work orders."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import UUID

from django.conf import settings
from django.db import transaction

from accounts.models import User
from accounts.services import audit
from devices import checklist as steps_of
from devices.models import OrderFile, WorkOrder
from twinhealth.errors import ConflictError, NotFoundError

from . import order_answers
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
    sent: PhotoSent | None = None,
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
        sent: of a photo that was kept on a phone; sent again, the file of the first time.
        request: for the audit trail.

    Raises:
        InvalidInputError: `file_type`, `file_broken`, `empty_file`, `not_a_photo_step`.
        TooLargeError: `file_too_large`.
        ConflictError: `not_in_progress` for a photo, `too_many_files`, `key_used`; `order_changed`
            where the step has another photo meanwhile, or is another one.
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
                key=sent.key if sent else None,
            ),
            actor,
            request,
            sent,
        )
    except BaseException:
        path.unlink(missing_ok=True)
        raise


@dataclass(frozen=True, slots=True)
class PhotoSent:
    """A photo that was kept on a phone until there was network.

    Attributes:
        key: made by the phone.
        text: the step's, as the person saw it; a plan may have changed it.
        seen: number of the photo that the step had then.
    """

    key: UUID
    text: str
    seen: int | None


@transaction.atomic
def _attached(
    file: OrderFile, actor: User, request: AnyRequest, sent: PhotoSent | None
) -> OrderFile:
    order = file.order = locked(file.order)
    if sent is not None:
        there = OrderFile.objects.filter(order=order, key=sent.key).first()
        if there is not None:
            return _again(there, file)
        if file.step is not None:
            _check_step(order, file.step, sent)
    if order.files.count() >= MAX_FILES:
        raise ConflictError(
            "too_many_files", f"An order has at most {MAX_FILES} files.", limit=MAX_FILES
        )
    file.save(force_insert=True)
    if file.step is not None:
        if order.state not in order_answers.WORKING:
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


def _again(there: OrderFile, file: OrderFile) -> OrderFile:
    """The file of the first time; the bytes that came again aren't kept twice."""
    if (there.by_id, there.sha256) != (file.by_id, file.sha256):
        raise ConflictError("key_used", "Another file came under this key; make a new one.")
    (Path(settings.MEDIA_ROOT) / file.path).unlink(missing_ok=True)
    there.order = file.order
    return there


def _check_step(order: WorkOrder, step: int, sent: PhotoSent) -> None:
    items = order.checklist
    item = items[step] if step < len(items) else {"step": None}
    outcome = "conflict"
    if order.state not in order_answers.WORKING:
        reason = {"code": "closed", "text": f"It is {order.get_state_display()}."}
    elif item["step"] != sent.text:
        reason = {"code": "steps_changed", "text": "Steps were changed or taken out."}
        outcome = "gone"
    elif item.get("value") not in (None, sent.seen):
        reason = {"code": "answered", "text": "Somebody else sent a photo of this step."}
    else:
        return
    field = {"place": step, "step": sent.text, "name": "photo", "theirs": item.get("value")}
    raise order_answers.changed(order, [reason], fields=[{**field, "outcome": outcome}])


def get(order: WorkOrder, pk: int) -> OrderFile:
    """One file of an order.

    Raises:
        NotFoundError: `file_not_found`.
    """
    found = OrderFile.objects.filter(order=order, pk=pk).first()
    if found is None:
        raise NotFoundError("file_not_found", "This order has no such file.")
    return found
