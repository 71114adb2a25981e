"""Giving a film back to the line: skipped for a while, wanted sooner, or with a call for help."""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection import room
from detection.models import Claim, UrgencySet
from detection.services.claims import (
    lock_film,
    patient_of,
    refuse_claimed_by_another,
    refuse_signed,
)
from detection.services.worklist import refresh_items
from imaging.models import Image, Urgency
from reading.models import HelpRequest, Skip
from reading.models.line import HelpState
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError, NotPermittedError

from .words import reason_of

SKIPPED_FOR = timedelta(hours=1)
MAX_ANSWER = 1000


def skip(*, image_id: int, user: User, reason: str, request: HttpRequest | None = None) -> Skip:
    """Back to the line; not offered to this reader for `SKIPPED_FOR`. Ends one's own claim.

    Raises:
        NotFoundError: `no_such_image`.
        InvalidInputError: `reason_missing`, `reason_too_long`.
        ConflictError: `signed`, or `claimed` by another reader.
    """
    said, now = reason_of(reason), timezone.now()
    with transaction.atomic():
        image = _open_film(image_id, user)
        made = Skip.objects.create(
            image=image, by=user, reason=said, at=now, until=now + SKIPPED_FOR
        )
        _record(user, "skipped", image, request, skip=made.pk)
        return made


def ask_help(
    *, image_id: int, user: User, reason: str, request: HttpRequest | None = None
) -> HelpRequest:
    """Put a film into the queue of those that need help, before all readers. Ends one's own claim.

    Raises:
        NotFoundError: `no_such_image`.
        InvalidInputError: `reason_missing`, `reason_too_long`.
        ConflictError: `help_open`, if somebody asks already; `signed`, or `claimed` by another.
    """
    said = reason_of(reason)
    with transaction.atomic():
        image = _open_film(image_id, user)
        asked = HelpRequest.objects.filter(image=image, state=HelpState.OPEN).first()
        if asked is not None:
            raise ConflictError(
                "help_open",
                f"{asked.by} asks for help with this film already.",
                by=str(asked.by),
                at=asked.at.isoformat(),
                help=asked.pk,
            )
        made = HelpRequest.objects.create(image=image, by=user, reason=said, at=timezone.now())
        _record(user, "asked_help", image, request, help=made.pk)
        return made


def answer_help(
    *, help_id: int, user: User, answer: str, request: HttpRequest | None = None
) -> HelpRequest:
    """Another reader's answer ends a call for help.

    Raises:
        NotFoundError: `no_such_help`.
        InvalidInputError: `reason_missing`, `reason_too_long`.
        NotPermittedError: `own_help`.
        ConflictError: `help_ended`, or `already_read` of a reader of a film that two readers read.
    """
    said = reason_of(answer, limit=MAX_ANSWER)
    with transaction.atomic():
        call = _open_call(help_id)
        if call.by_id == user.pk:
            raise NotPermittedError("own_help", "Another reader answers; you can withdraw it.")
        room.refuse_reader(call.image, user)  # a first reader's answer would tell the second
        return _end(call, user, HelpState.ANSWERED, request, answer=said)


def withdraw_help(*, help_id: int, user: User, request: HttpRequest | None = None) -> HelpRequest:
    """Take one's own call for help back.

    Raises:
        NotFoundError: `no_such_help`.
        NotPermittedError: `not_your_help`.
        ConflictError: `help_ended`.
    """
    with transaction.atomic():
        call = _open_call(help_id)
        if call.by_id != user.pk:
            raise NotPermittedError("not_your_help", "Only who asked can withdraw the call.")
        return _end(call, user, HelpState.WITHDRAWN, request)


def set_urgency(
    *, image_id: int, user: User, urgency: str, reason: str, request: HttpRequest | None = None
) -> UrgencySet:
    """Say how soon a film is wanted; stands above its header from now on.

    Raises:
        NotFoundError: `no_such_image`.
        InvalidInputError: `bad_urgency`, `reason_missing`, `reason_too_long`.
        ConflictError: `signed`.
    """
    said = reason_of(reason)
    if urgency not in Urgency.values:
        raise InvalidInputError(
            "bad_urgency",
            f"An urgency is one of {', '.join(Urgency.values)}.",
            allowed=list(Urgency.values),
        )
    with transaction.atomic():
        image = lock_film(image_id)
        refuse_signed(image)
        made, _ = UrgencySet.objects.update_or_create(
            image=image,
            defaults={"urgency": urgency, "reason": said, "by": user, "at": timezone.now()},
        )
        audit.record(
            actor=user,
            verb="set_urgency",
            obj=image,
            patient_id=patient_of(image),
            request=request,
            detail={"urgency": urgency},
        )
        refresh_items(image_ids=[image.pk])
        return made


def _open_film(image_id: int, user: User) -> Image:
    image = lock_film(image_id)
    refuse_signed(image)
    room.refuse_reader(image, user)
    refuse_claimed_by_another(image, user)
    Claim.objects.filter(image=image).delete()
    return image


def _open_call(help_id: int) -> HelpRequest:
    call = (
        HelpRequest.objects.select_for_update(of=("self",))
        .select_related("image__series__study")
        .filter(pk=help_id)
        .first()
    )
    if call is None:
        raise NotFoundError("no_such_help", "There is no such call for help.", help=help_id)
    if call.state != HelpState.OPEN:
        raise ConflictError(
            "help_ended",
            f"This call for help is {call.get_state_display()}.",
            state=call.state,
            by=str(call.ended_by),
            at=call.ended_at.isoformat() if call.ended_at else None,
        )
    return call


def _end(
    call: HelpRequest,
    user: User,
    state: HelpState,
    request: HttpRequest | None,
    *,
    answer: str = "",
) -> HelpRequest:
    call.state, call.answer, call.ended_by, call.ended_at = state, answer, user, timezone.now()
    call.save(update_fields=["state", "answer", "ended_by", "ended_at"])
    verb = "answered_help" if state == HelpState.ANSWERED else "withdrew_help"
    _record(user, verb, call.image, request, help=call.pk)
    return call


def _record(
    user: User, verb: str, image: Image, request: HttpRequest | None, **detail: int
) -> None:
    audit.record(
        actor=user,
        verb=verb,
        obj=image,
        patient_id=patient_of(image),
        request=request,
        detail=dict(detail),
    )
