"""How far detector and readers agree, and the films behind each number."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can
from accounts.services import audit
from detection.models import WorklistItem
from detection.page_request import PageRequest
from twinhealth.web.templatetags.house import url_with

from .forms import AgreementForm
from .selectors_agreement import BY, CELLS, agreement_table, films_of_cell
from .selectors_blinded_agreement import blind_table
from .selectors_pairs import reader_pairs
from .selectors_rejects import REASONS, rejects_by_version
from .selectors_second_looks import second_look_table

PAGE_SIZE = 50
WORDS = {
    "hits": "flagged and signed abnormal",
    "alarms": "flagged and signed normal",
    "misses": "not flagged and signed abnormal",
    "passes": "not flagged and signed normal",
}


@require_GET
@requires(Can.FINDING_REVIEW)
def agreement(request: PageRequest) -> HttpResponse:
    """Kappa, predictive value and misses; one's own films, for the lead all."""
    form = AgreementForm(request.GET)
    by, span = form.chosen()
    table = agreement_table(user=request.user, by=by, span=span)
    rejects = rejects_by_version(user=request.user, span=span)
    context: dict[str, Any] = {
        "form": form,
        "by": by,
        "head": BY[by],
        "span": span,
        "table": table,
        "blind": blind_table(user=request.user, span=span),
        "looks": second_look_table(user=request.user, span=span),
        "pairs": reader_pairs(user=request.user, span=span),
        "rejects": rejects,
        "reject_rows": [(text, [row.counts[code] for row in rejects]) for code, text in REASONS],
        "as_of": timezone.now(),
        "chips": [
            {"label": f"by {label}", "on": key == by, "url": url_with(request, by=key)}
            for key, label in BY.items()
            if key != "reader" or table.everyone
        ],
    }
    return render(request, "reading/agreement.html", context)


@require_GET
@requires(Can.FINDING_REVIEW)
def agreement_films(request: PageRequest) -> HttpResponse:
    """The films that one number counts; an address that names none of them shows the misses."""
    by, span = AgreementForm(request.GET).chosen()
    cell = request.GET.get("cell", "")
    cell = cell if cell in CELLS else "misses"
    found = films_of_cell(
        user=request.user, span=span, cell=cell, by=by, key=request.GET.get("key", "")
    )
    page = Paginator(found, PAGE_SIZE).get_page(request.GET.get("page"))
    audit.record(
        actor=request.user,
        verb="listed",
        obj=WorklistItem(),
        request=request,
        detail={"films": [signature.image_id for signature in page]},
    )
    context = {"page_obj": page, "span": span, "words": WORDS[cell], "as_of": timezone.now()}
    return render(request, "reading/agreement_films.html", context)
