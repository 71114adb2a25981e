"""How page and REST answer with a report, and the audit of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.services import audit
from reading import report_pdf
from reading.selectors_report import Document, document


def read(image_id: int, *, user: User, request: HttpRequest) -> Document:
    """A film's report, with its audit row.

    Raises:
        NotFoundError: `no_such_image`.
    """
    return _seen(document(image_id, user), "viewed_report", user, request)


def pdf(image_id: int, *, user: User, request: HttpRequest) -> HttpResponse:
    """A film's report as PDF, with its audit row; nothing on the way may keep it.

    Raises:
        NotFoundError: `no_such_image`.
    """
    found = _seen(document(image_id, user), "exported_report", user, request)
    answer = HttpResponse(report_pdf.pdf(found), content_type="application/pdf")
    state = f"v{found.current.number}" if found.signature else "draft"
    answer["Content-Disposition"] = f'inline; filename="report-{image_id}-{state}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer


def _seen(found: Document, verb: str, user: User, request: HttpRequest) -> Document:
    audit.record(
        actor=user,
        verb=verb,
        obj=found.film.image,
        patient_id=found.film.patient.pk,
        request=request,
        detail={"version": found.current.number, "signed": found.signature is not None},
    )
    return found
