"""How page and REST answer with a report, and the audit of it."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.services import audit
from detection import blinding, selectors
from detection.selectors_film import Film
from reading import report_pdf
from reading.selectors_report import Document, Drafted, document, drafted


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


def draft(
    image_id: int, *, user: User, request: HttpRequest, conclusion: str | None = None
) -> Drafted:
    """One's own draft on the facts of now, with its audit row; see `selectors_report.drafted`.

    Raises:
        NotFoundError: `no_such_image`.
    """
    film = selectors.film(image_id=image_id, user=user)
    found = drafted(film, user, conclusion=conclusion)
    _record(film, "viewed_report", user, request, draft=found.revision)
    return found


def _seen(found: Document, verb: str, user: User, request: HttpRequest) -> Document:
    signed = found.signature is not None
    _record(found.film, verb, user, request, version=found.current.number, signed=signed)
    return found


def _record(film: Film, verb: str, user: User, request: HttpRequest, **detail: int) -> None:
    audit.record(
        actor=user,
        verb=verb,
        obj=film.image,
        patient_id=film.patient.pk,
        request=request,
        detail=detail | blinding.seen(hidden=film.hidden),
    )
