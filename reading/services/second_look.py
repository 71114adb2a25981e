"""A second reader's word on a signed film of the queue."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.models import Signature, WorklistItem
from detection.services.claims import patient_of
from reading.models import SecondLook
from reading.selectors import second_looks
from twinhealth.errors import ConflictError, NotFoundError, NotPermittedError

from .words import reason_of


def look_again(
    *, image_id: int, user: User, agrees: bool, reason: str, request: HttpRequest | None = None
) -> SecondLook:
    """Record whether the signature holds; the signature itself never changes.

    Raises:
        NotFoundError: `not_signed`, `not_in_queue`.
        InvalidInputError: `reason_missing`, `reason_too_long`.
        NotPermittedError: `own_signature`.
        ConflictError: `looked_at`, if a second reader was there before.
    """
    said = reason_of(reason)
    found = Signature.objects.select_related("image__series__study").filter(image_id=image_id)
    with transaction.atomic():
        signature = found.first()
        if signature is None:
            raise NotFoundError("not_signed", "This film isn't signed yet.", image=image_id)
        if signature.by_id == user.pk:
            raise NotPermittedError(
                "own_signature", "Nobody takes the second look at a film of his own."
            )
        before = SecondLook.objects.filter(signature=signature).select_related("by").first()
        if before is not None:
            raise _looked_at(before)
        if not second_looks().filter(pk=signature.pk).exists():
            raise NotFoundError(
                "not_in_queue", "This film isn't in the queue for a second look.", image=image_id
            )
        try:
            with transaction.atomic():
                made = SecondLook.objects.create(
                    signature=signature, by=user, at=timezone.now(), agrees=agrees, reason=said
                )
        except IntegrityError as error:
            raise _looked_at(SecondLook.objects.get(signature=signature)) from error
        WorklistItem.objects.filter(image=signature.image).update(look_since=None)
        audit.record(
            actor=user,
            verb="looked_again",
            obj=signature.image,
            patient_id=patient_of(signature.image),
            request=request,
            detail={"second_look": made.pk, "agrees": agrees},
        )
        return made


def _looked_at(look: SecondLook) -> ConflictError:
    return ConflictError(
        "looked_at",
        f"{look.by} has looked at this film.",
        by=str(look.by),
        at=look.at.isoformat(),
        agrees=look.agrees,
    )
