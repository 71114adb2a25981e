"""A reading lead's decision between two readings."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from detection.forms import cleaned
from detection.page_request import PageRequest
from reading.forms import AdjudicationForm
from reading.services import adjudication
from reading.views_film import panels
from twinhealth.errors import DomainError


@require_POST
@requires(Can.FINDING_REVIEW)  # and that the reader leads, the service says
def adjudicate(request: PageRequest, image_id: int) -> HttpResponse:
    """Sign as the first or the second reader read the film, or with an own report."""
    try:
        data = cleaned(AdjudicationForm(request.POST))
        adjudication.adjudicate(image_id=image_id, user=request.user, request=request, **data)
    except DomainError as error:
        if not request.htmx:
            raise
        return panels(request, image_id, error=error, swapped="report")
    if request.htmx:
        return panels(request, image_id, swapped="report")
    return redirect("reading:film", image_id)
