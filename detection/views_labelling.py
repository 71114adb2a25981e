"""The page that says which films to label next."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can
from accounts.services import audit
from detection import labelling, selectors_labelling
from detection.models import WorklistItem
from detection.page_request import PageRequest

PAGE_SIZE = 50


@require_GET
@requires(Can.WORKLIST_READ)
def label_next(request: PageRequest) -> HttpResponse:
    """Films whose label would teach the detector most, each with the sentence why."""
    filters = {key: request.GET[key] for key in ("why", "device") if request.GET.get(key)}
    found = selectors_labelling.label_next(user=request.user, filters=filters)
    page = Paginator(found.wanted, PAGE_SIZE).get_page(request.GET.get("page"))
    rows = found.rows(list(page.object_list))
    audit.record(
        actor=request.user,
        verb="listed",
        obj=WorklistItem,
        request=request,
        detail={"films": [row.wanted.image for row in rows]},
    )
    context = {
        "rows": rows,
        "page_obj": page,
        "chips": [
            {
                "why": why,
                "words": words,
                "count": found.counts[why],
                "on": filters.get("why") == why,
            }
            for why, words in {"": "all", **labelling.WORDS}.items()
        ],
        "chosen_why": filters.get("why", ""),
        "chosen_device": filters.get("device", ""),
        "found": found,
        "filtered": bool(filters),
        "looked_at": selectors_labelling.LOOKED_AT,
    }
    return render(request, "detection/label_next.html", context)
