"""Signing a film with its report: the one way for page and REST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from accounts.services import audit
from detection import selectors
from detection.models import Signature
from detection.services import sign
from reading import report_content
from reading.models import Report, ReportDraft
from reading.report_blocks import left
from reading.report_facts import content_of
from twinhealth.errors import InvalidInputError

from .report_draft import own_words


@dataclass(frozen=True, slots=True)
class SignedReport:
    """The signature with its report, and whether this call made them.

    `report` is `None` on a repeat of a signature from before reports were kept.
    """

    signature: Signature
    report: Report | None
    created: bool


def sign_film(
    *,
    image_id: int,
    user: User,
    conclusion: str,
    text: str = "",
    sections: Mapping[str, str] | None = None,
    request: HttpRequest | None = None,
) -> SignedReport:
    """Sign a film and keep its report, both or none. The same reader's repeat changes nothing.

    Args:
        image_id: the film.
        user: the reader.
        conclusion: a value of `Conclusion`.
        text: the reader's own impression; stands before one among `sections`.
        sections: those that the reader wrote himself; the others are drafted from the facts.
        request: for the audit.

    Raises:
        NotFoundError: `no_such_image`.
        InvalidInputError: `bad_conclusion`, `text_too_long`, `bad_section`, `placeholder_left`.
        ConflictError: `signed` by another, or `claimed` by another, with who and when.
    """
    edited = own_words({**(sections or {}), **({"impression": text} if text.strip() else {})})
    open_marks = [mark for said in edited.values() for mark in left(said)]
    if open_marks:
        raise InvalidInputError(
            "placeholder_left",
            f"Fill in {{{open_marks[0]}}} first: it stands in the report as it is.",
            placeholders=open_marks,
        )
    with transaction.atomic():
        signed = sign.sign(
            image_id=image_id,
            user=user,
            conclusion=conclusion,
            text=edited.get("impression", ""),
            request=request,
        )
        signature = signed.signature
        if not signed.created:
            kept = Report.objects.filter(signature=signature).first()
            return SignedReport(signature, kept, created=False)
        # read after the signature, under the film's lock: no verdict can come in between
        film = selectors.film(image_id=image_id)
        content = content_of(film, conclusion=conclusion, edited=edited, signature=signature)
        report = Report.objects.create(
            signature=signature,
            content=content,
            text=report_content.plain(content["sections"]),
            by=user,
            by_name=signature.by_name,
            at=signature.at,
            sha256=report_content.sha256(content),
        )
        ReportDraft.objects.filter(image_id=image_id, by=user).delete()
        audit.record(
            actor=user,
            verb="wrote_report",
            obj=report,
            patient_id=film.patient.pk,
            request=request,
            detail={"image": image_id, "signature": signature.pk, "sha256": report.sha256},
        )
        return SignedReport(signature, report, created=True)
