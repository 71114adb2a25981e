"""A film's report as a document: page, differences, PDF."""

from __future__ import annotations

import re

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can
from detection.page_request import PageRequest
from reading import report_answer, report_diff
from reading.report_rows import badges, marks, patient_rows, study_rows, told
from reading.selectors_report import Document

_NUMBER = re.compile(r"[0-9]{1,6}")


@require_GET
@requires(Can.FINDING_REVIEW)
def report(request: PageRequest, image_id: int) -> HttpResponse:
    """The document with its versions; `from` and `to` show what differs between two of them."""
    found = report_answer.read(image_id, user=request.user, request=request)
    context = {
        "doc": found,
        "difference": _difference(request, found),
        "patient": patient_rows(found.content),
        "study": study_rows(found.content),
        "badges": badges(found.content),
        "critical": [told(result) for result in found.critical],
        "picture": marks(found.content),
    }
    return render(request, "reading/report_document.html", context)


@require_GET
@requires(Can.FINDING_REVIEW)
def pdf(request: PageRequest, image_id: int) -> HttpResponse:
    """The document to take along."""
    return report_answer.pdf(image_id, user=request.user, request=request)


def _difference(request: PageRequest, found: Document) -> dict[str, object] | None:
    sides = [request.GET.get(side, "") for side in ("from", "to")]
    if not all(_NUMBER.fullmatch(side) for side in sides):
        return None
    before, after = (found.version(int(side)) for side in sides)
    sections = report_diff.sections(before.sections, after.sections)
    return {
        "before": before,
        "after": after,
        "sections": sections,
        "any": not all(section.same for section in sections),
    }
