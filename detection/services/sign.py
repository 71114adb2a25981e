"""The signature under a film: one, by one reader, for good."""

from __future__ import annotations

from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone

from accounts.models import User
from accounts.services import audit
from detection import blinding
from detection.models import Claim, Conclusion, Signature
from twinhealth.errors import InvalidInputError

from .claims import lock_film, patient_of, refuse_claimed_by_another, signed_error
from .worklist import refresh_items

MAX_TEXT = 4000


@dataclass(frozen=True, slots=True)
class Signed:
    """The signature, and whether this call made it."""

    signature: Signature
    created: bool


def sign(
    *,
    image_id: int,
    user: User,
    conclusion: str,
    text: str = "",
    by_name: str = "",
    request: HttpRequest | None = None,
) -> Signed:
    """Sign a film; needs no verdicts before and no claim. The same reader's repeat changes nothing.

    Of films that two readers read this room knows nothing: what a reader signs goes through
    `reading.services.signing`.

    Args:
        image_id: the film.
        user: who signs.
        conclusion: a value of `Conclusion`.
        text: of the report.
        by_name: as the signature names its reader; empty for the user's own name.
        request: for the audit.

    Raises:
        NotFoundError: `no_such_image`.
        InvalidInputError: `bad_conclusion`, `text_too_long`.
        ConflictError: `signed` by another, or `claimed` by another, with who and when;
            `first_impression_missing` of a blinded reader.
    """
    check_report(conclusion=conclusion, text=text)
    with transaction.atomic():
        image = lock_film(image_id)
        existing = Signature.objects.filter(image=image).first()
        if existing is not None:
            if existing.by_id == user.pk:
                return Signed(existing, created=False)
            raise signed_error(existing)
        refuse_claimed_by_another(image, user)
        blinding.refuse_hidden(image.pk, user)
        signature = Signature.objects.create(
            image=image,
            by=user,
            by_name=by_name or str(user),
            at=timezone.now(),
            conclusion=conclusion,
            text=text,
        )
        Claim.objects.filter(image=image).delete()
        audit.record(
            actor=user,
            verb="signed",
            obj=image,
            patient_id=patient_of(image),
            request=request,
            detail={"signature": signature.pk, "conclusion": conclusion},
        )
        refresh_items(image_ids=[image.pk])
        return Signed(signature, created=True)


def check_report(*, conclusion: str, text: str) -> None:
    """See that a film can be concluded so, whoever signs it.

    Raises:
        InvalidInputError: `bad_conclusion`, `text_too_long`.
    """
    if conclusion not in Conclusion.values:
        raise InvalidInputError(
            "bad_conclusion",
            f"A conclusion is one of {', '.join(Conclusion.values)}.",
            allowed=list(Conclusion.values),
        )
    if len(text) > MAX_TEXT:
        raise InvalidInputError(
            "text_too_long", f"A report has at most {MAX_TEXT} characters.", limit=MAX_TEXT
        )
