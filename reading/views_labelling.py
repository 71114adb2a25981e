"""The page of what to label next."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can
from accounts.services import audit
from detection import blinding, labelling, selectors_labelling
from detection.models import WorklistItem
from detection.page_request import PageRequest
from twinhealth.web.templatetags.house import url_with

PAGE_SIZE = 50
# reason, icon, label; the help text is `labelling.WHY`'s
CHIPS = (
    ("", "list", "all"),
    (labelling.DISAGREE, "act", "model and reader disagree"),
    (labelling.UNCERTAIN, "watch", "uncertain"),
    (labelling.NEW_DEVICE, "machine", "new machine"),
)


@require_GET
@requires(Can.WORKLIST_READ)
def label_next(request: PageRequest) -> HttpResponse:
    """Which film's label teaches the detector most."""
    why = request.GET.get("why", "")
    found = selectors_labelling.label_next(
        user=request.user, why=why, page=request.GET.get("page", 1), page_size=PAGE_SIZE
    )
    audit.record(
        actor=request.user,
        verb="listed",
        obj=WorklistItem(),
        request=request,
        detail={"films": [row.image.pk for row in found.rows]},
    )
    context: dict[str, Any] = {
        "rows": found.rows,
        "page_obj": found.page,
        "as_of": found.as_of,
        "blinded": blinding.sight(request.user).blinded,
        "filtered": why in labelling.WHY,
        "chips": [
            {
                "label": label,
                "icon": icon,
                "count": found.counts[code],
                "on": why == code,
                "url": url_with(request, why=code or None, page=None),
                "help": labelling.WHY.get(code, "every film that is worth a label"),
            }
            for code, icon, label in CHIPS
        ],
    }
    return render(request, "reading/label_next.html", context)
