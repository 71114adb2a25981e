"""A reading lead settles a difference between two readings and signs."""

from __future__ import annotations

from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.services import audit
from detection.models import Signature
from detection.services import sign as signatures
from detection.services.claims import (
    lock_film,
    patient_of,
    refuse_claimed_by_another,
    signed_error,
)
from reading.models import Adjudication, Choice, IndependentRead
from reading.selectors_double import deciders
from twinhealth.errors import ConflictError, InvalidInputError, NotPermittedError

from .report_draft import signed_words
from .report_write import write_report
from .snapshot import put_back


def adjudicate(
    *,
    image_id: int,
    user: User,
    choice: str,
    conclusion: str = "",
    text: str = "",
    request: HttpRequest | None = None,
) -> Signature:
    """Sign a film as the first or the second reader read it, or with an own report.

    With `first` and `second` that reading's conclusion, text and verdicts become the film's; with
    `own`, the conclusion, text and verdicts of the lead. The same lead's repeat changes nothing.

    Raises:
        NotFoundError: `no_such_image`.
        InvalidInputError: `bad_choice`; of `own` also `bad_conclusion`, `text_too_long`,
            `placeholder_left`.
        NotPermittedError: `not_a_lead`, `own_read`.
        ConflictError: `not_in_adjudication`; `signed` or `claimed` by another;
            `first_impression_missing` of a blinded lead.
    """
    if choice not in Choice.values:
        raise InvalidInputError(
            "bad_choice", f"A decision is one of {', '.join(Choice.values)}.", allowed=Choice.values
        )
    edited = signed_words({"impression": text}) if choice == Choice.OWN else {}
    text = edited.get("impression", "")
    if choice == Choice.OWN:
        signatures.check_report(conclusion=conclusion, text=text)
    with transaction.atomic():
        image = lock_film(image_id)
        existing = Signature.objects.filter(image=image).first()
        if existing is not None:
            if existing.by_id == user.pk and hasattr(existing, "adjudication"):
                return existing
            raise signed_error(existing)
        reads = tuple(IndependentRead.objects.filter(image=image))
        if len(reads) != 2:
            raise ConflictError(
                "not_in_adjudication", "There are no two readings of this film that differ."
            )
        if user.pk in {read.reader_id for read in reads}:
            raise NotPermittedError("own_read", "You are one of this film's two readers.")
        if user not in deciders(reads):
            raise NotPermittedError("not_a_lead", "A reading lead decides where readings differ.")
        refuse_claimed_by_another(image, user)
        if choice != Choice.OWN:
            chosen = reads[0] if choice == Choice.FIRST else reads[1]
            put_back(read=chosen)
            conclusion, text, edited = chosen.conclusion, chosen.text, chosen.sections
        signature = signatures.sign(
            image_id=image_id, user=user, conclusion=conclusion, text=text, request=request
        ).signature
        write_report(signature, edited=edited, request=request)
        Adjudication.objects.create(signature=signature, choice=choice)
        audit.record(
            actor=user,
            verb="adjudicated",
            obj=image,
            patient_id=patient_of(image),
            request=request,
            detail={"signature": signature.pk, "choice": choice},
        )
        return signature
