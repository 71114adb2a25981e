"""Text under a signed film: the signature stays as it is, a row is added."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection.models import Signature
from detection.services.claims import lock_film, patient_of
from reading.models import Addendum
from twinhealth.errors import ConflictError

from .words import text_of

MAX_TEXT = 4000


def add(*, image_id: int, user: User, text: str, request: HttpRequest | None = None) -> Addendum:
    """Add text of at most `MAX_TEXT` characters to a signed film; any reader may.

    Raises:
        InvalidInputError: `text_required`, `text_too_long`.
        NotFoundError: `no_such_image`.
        ConflictError: `not_signed`.
    """
    text = text_of(
        text,
        limit=MAX_TEXT,
        missing="Write what the addendum says.",
        too_long=f"An addendum has at most {MAX_TEXT} characters.",
    )
    with transaction.atomic():
        image = lock_film(image_id)
        signature = Signature.objects.filter(image=image).first()
        if signature is None:
            raise ConflictError(
                "not_signed", "This film isn't signed yet: change the report itself, then sign."
            )
        addendum = Addendum.objects.create(
            signature=signature, by=user, by_name=str(user), at=timezone.now(), text=text
        )
        audit.record(
            actor=user,
            verb="amended",
            obj=image,
            patient_id=patient_of(image),
            request=request,
            detail={"signature": signature.pk, "addendum": addendum.pk},
        )
        return addendum
