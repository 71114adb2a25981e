"""REST of answers that were kept on a phone: revisions, and sending once per key."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response

from twinhealth.errors import ConflictError, InvalidInputError, PreconditionFailedError

from . import checklist as steps_of
from .api import actor
from .checklist_merge import Change
from .models import WorkOrder
from .serializers_orders import KeptAnswersSerializer
from .services import order_answers
from .services.order_answers import Seen
from .services.order_files import PhotoSent


def etag(order: WorkOrder) -> str:
    """The order's revision as a strong validator (RFC 9110, 8.8.3)."""
    return f'"{order.revision}"'


def asked_revision(request: Request, given: dict[str, Any]) -> int | None:
    """The revision of `If-Match`, else of the body; `None` where neither says one.

    Raises:
        InvalidInputError: `if_match_invalid`.
    """
    body = given.pop("revision", None)
    text = request.headers.get("If-Match", "").strip()
    if not text or text == "*":
        return body
    number = text.removeprefix('"').removesuffix('"')
    if not number.isdecimal() or len(number) > 18 or text != f'"{number}"':
        raise InvalidInputError("if_match_invalid", 'If-Match is the ETag of the order, as in "7".')
    return int(number)


@contextmanager
def by_if_match(request: Request) -> Iterator[None]:
    """412 instead of 409 where the caller asked with `If-Match` (RFC 9110, 13.1.1)."""
    try:
        yield
    except ConflictError as error:
        if error.code == "order_changed" and request.headers.get("If-Match"):
            raise PreconditionFailedError(error.code, error.message, **error.extra) from error
        raise


def check_person(request: Request, given: dict[str, Any]) -> None:
    """That what was kept on a phone is sent in the name of who wrote it.

    Raises:
        ConflictError: `other_person`.
    """
    person = given.pop("person", None)
    if person is not None and person != actor(request).pk:
        raise ConflictError(
            "other_person", "Somebody else is signed in now: sign in as yourself, then send it."
        )


def send(request: Request, order: WorkOrder, given: dict[str, Any]) -> Response:
    """Keep answers, or put them on the time line."""
    check_person(request, given)
    as_remark = given.pop("as_remark")
    seen = Seen(given.pop("state"), given.pop("assigned_to"), asked_revision(request, given))
    changes = [Change(**each) for each in given["changes"]]
    common: dict[str, Any] = {
        "order": order, "actor": actor(request), "key": given["key"], "request": request,
    }  # fmt: skip
    with by_if_match(request):
        if as_remark:
            sent = order_answers.send_as_remark(changes=changes, **common)
        else:
            sent = order_answers.send(seen=seen, changes=changes, **common)
    now = sent.order
    told = {
        "revision": now.revision,
        "state": now.state,
        "assigned_to": now.assigned_to.username if now.assigned_to else None,
        "checklist": now.checklist,
        "out_of_limits": steps_of.out_of_limits(now.checklist),
        "again": sent.again,
        "refused": sent.refused,
        "at": timezone.now(),
    }
    return Response(KeptAnswersSerializer(told).data, headers={"ETag": etag(now)})


def photo_sent(given: dict[str, Any]) -> PhotoSent | None:
    """What a phone says of a photo that it kept; `None` for any other file."""
    if given.get("key") is None:
        return None
    return PhotoSent(key=given["key"], text=given["text"], seen=given.get("seen"))
