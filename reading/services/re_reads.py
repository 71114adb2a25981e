"""What came of looking at a signed film again; what changed stands in an addendum."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from detection.models import ReRead, ReReadResult
from detection.services import rereads

from . import addenda


@transaction.atomic
def record(
    *, item_id: int, user: User, result: str, text: str = "", request: HttpRequest | None = None
) -> ReRead:
    """Say what came of one film of a re-read list; with a change, the text becomes an addendum.

    The signature stays as it is. Addendum and result are stored together, or neither.

    Args:
        item_id: the film on its list.
        user: who looked again.
        result: a value of `ReReadResult`.
        text: what changed, or why it wasn't re-read, at most 1,000 characters; else a remark.
        request: for the audit trail.

    Raises:
        NotFoundError, InvalidInputError, ConflictError: as `detection.services.rereads.finish` and
            `reading.services.addenda.add`.
    """
    item = rereads.get(item_id)
    rereads.finish(
        list_id=item.list_id, item_ids=[item.pk], result=result, note=text, user=user,
        request=request,
    )  # fmt: skip
    if result == ReReadResult.CHANGED:
        addenda.add(image_id=item.image_id, user=user, text=text, request=request)
    return rereads.get(item_id)
