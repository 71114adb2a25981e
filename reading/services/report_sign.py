"""Signing a film with its report: the one way for page and REST."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db import transaction
from django.http import HttpRequest

from accounts.models import User
from detection.models import Signature
from reading.models import IndependentRead, Report, ReportDraft

from . import signing
from .report_draft import signed_words
from .report_write import write_report


@dataclass(frozen=True, slots=True)
class SignedReport:
    """What came of signing, and whether this call made it.

    `signature` is `None` while another reader has yet to read the film or to decide, `read` where
    one reader reads it; `report` is `None` without a signature, and on a repeat of one from before
    reports were kept.
    """

    signature: Signature | None
    read: IndependentRead | None
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

    Of a film that two readers read this gives one's reading, which keeps the words; the report is
    written once the film has its signature.

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
        ConflictError: as `signing.sign`.
    """
    edited = signed_words({**(sections or {}), **({"impression": text} if text.strip() else {})})
    with transaction.atomic():
        signed = signing.sign(
            image_id=image_id,
            user=user,
            conclusion=conclusion,
            text=edited.get("impression", ""),
            sections=edited,
            request=request,
        )
        signature = signed.signature
        if not signed.created:
            kept = Report.objects.filter(signature=signature).first() if signature else None
            return SignedReport(signature, signed.read, kept, created=False)
        ReportDraft.objects.filter(image_id=image_id, by=user).delete()
        report = write_report(signature, edited=edited, request=request) if signature else None
        return SignedReport(signature, signed.read, report, created=True)
