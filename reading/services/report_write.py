"""The report of a film that has just been signed."""

from __future__ import annotations

from collections.abc import Mapping

from django.http import HttpRequest

from accounts.services import audit
from detection import selectors
from detection.models import Signature
from reading import report_content
from reading.models import Report
from reading.report_facts import content_of


def write_report(
    signature: Signature, *, edited: Mapping[str, str], request: HttpRequest | None = None
) -> Report:
    """Freeze the report under its signature; called in the transaction that made that.

    Args:
        signature: of the film; under the film's lock no verdict comes in between.
        edited: sections that a reader wrote himself; the others are drafted from the facts.
        request: for the audit.
    """
    film = selectors.film(image_id=signature.image_id, user=signature.by)
    content = content_of(film, conclusion=signature.conclusion, edited=edited, signature=signature)
    report = Report.objects.create(
        signature=signature,
        content=content,
        text=report_content.plain(content["sections"]),
        by=signature.by,
        by_name=signature.by_name,
        at=signature.at,
        sha256=report_content.sha256(content),
    )
    audit.record(
        actor=signature.by,
        verb="wrote_report",
        obj=report,
        patient_id=film.patient.pk,
        request=request,
        detail={
            "image": signature.image_id,
            "signature": signature.pk,
            "sha256": report.sha256,
        },
    )
    return report
