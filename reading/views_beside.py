"""A prior film beside the present one, and what changed between them."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can
from accounts.services import audit
from detection import blinding, selectors
from detection.page_request import PageRequest
from detection.selectors_film import Film
from reading.change import changes
from reading.selectors import marks_of
from twinhealth.errors import NotFoundError


@require_GET
@requires(Can.FINDING_REVIEW)
def beside(request: PageRequest, image_id: int, prior_id: int) -> HttpResponse:
    """The stage of a prior film of the same patient, for the film page."""
    now = selectors.film(image_id=image_id, user=request.user)
    if prior_id not in {prior.image.pk for prior in now.priors}:
        raise NotFoundError("no_such_prior", "This film is no prior of the one that is open.")
    before = selectors.film(image_id=prior_id, user=request.user)
    audit.record(
        actor=request.user,
        verb="viewed",
        obj=before.image,
        patient_id=before.patient.pk,
        request=request,
        detail={"beside": image_id} | blinding.seen(hidden=before.hidden),
    )
    context = {
        "film": now,
        "prior": before,
        "hidden": now.hidden or before.hidden,
        "known": _known(now) and _known(before),
        "changes": changes(marks_of(before), marks_of(now)),
    }
    return render(request, "reading/parts/beside.html", context)


def _known(film: Film) -> bool:
    """Whether anybody or anything has looked for findings."""
    return film.signature is not None or (film.run is not None and film.run.state == "done")
