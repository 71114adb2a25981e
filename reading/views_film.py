"""The film page and what a reader does on it; every answer is the panel as it is now."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from accounts.services import audit
from detection import blinding, selectors, selectors_rereads
from detection.forms import cleaned
from detection.models import Conclusion, Label, RejectReason
from detection.page_request import PageRequest
from detection.services import claims, reviews
from detection.services import request as requests
from reading import selectors_blinded, selectors_critical
from reading.forms import AddendumForm, VerdictForm
from reading.forms_report import ReportSignForm
from reading.going_on import go, next_film, next_pixels
from reading.models import Choice, ReadingPolicy
from reading.report_panel import panel
from reading.selectors import addenda_of, last_verdict
from reading.selectors_double import standing
from reading.selectors_policy import policy_now
from reading.selectors_report import unsigned_words
from reading.services import addenda, report_sign
from twinhealth.errors import ConflictError, DomainError
from twinhealth.web.errors import status_of

_NUMBER = re.compile(r"[0-9]{1,18}")


@require_GET
@requires(Can.FINDING_REVIEW)
def film(request: PageRequest, image_id: int) -> HttpResponse:
    """What is it, can I trust it, sign. Opening claims the film unless it is signed or taken."""
    with suppress(ConflictError):  # read-only then; the panel says who has it
        claims.claim(image_id=image_id, user=request.user, request=request)
    policy = policy_now()
    context = _context(request, image_id, policy) | {
        "next_pixels": next_pixels(request, image_id, ceiling=policy.ceiling)
    }
    image = context["film"].image
    audit.record(
        actor=request.user,
        verb="viewed",
        obj=image,
        patient_id=context["film"].patient.pk,
        request=request,
        detail=blinding.seen(hidden=context["film"].hidden),
    )
    return render(request, "reading/film.html", context)


@require_POST
@requires(Can.FINDING_REVIEW)
def verdict(request: PageRequest, image_id: int, finding_id: int) -> HttpResponse:
    """Accept, reject or edit one finding of the model."""

    def act() -> None:
        form = VerdictForm(request.POST)
        data = cleaned(form)
        reviews.record(
            image_id=image_id,
            finding_id=finding_id,
            user=request.user,
            verdict=data["verdict"],
            label=data["label"],
            box=form.box,
            reason_code=data["reason_code"],
            reason=data["reason"],
            request=request,
        )

    return _findings_after(request, image_id, act)


@require_POST
@requires(Can.FINDING_REVIEW)
def add(request: PageRequest, image_id: int) -> HttpResponse:
    """A finding that the model lacks."""

    def act() -> None:
        form = VerdictForm(request.POST)
        data = cleaned(form)
        reviews.record(
            image_id=image_id,
            user=request.user,
            verdict="add",
            label=data["label"],
            box=form.box,
            reason=data["reason"],
            request=request,
        )

    return _findings_after(request, image_id, act)


@require_POST
@requires(Can.FINDING_REVIEW)
def undo(request: PageRequest, image_id: int) -> HttpResponse:
    """Take back one's own newest verdict on this film, or the one named by `review`."""

    def act() -> None:
        named = request.POST.get("review", "")
        if _NUMBER.fullmatch(named):
            review_id = int(named)
        else:
            last = last_verdict(image_id=image_id, user=request.user)
            if last is None:
                raise ConflictError("nothing_to_undo", "There is no verdict of yours to take back.")
            review_id = last.pk
        reviews.withdraw(review_id=review_id, user=request.user, request=request)

    return _findings_after(request, image_id, act)


@require_POST
@requires(Can.FINDING_REVIEW)
def claim(request: PageRequest, image_id: int) -> HttpResponse:
    """Keep the claim alive while the page is open; says so when it was lost."""
    return _findings_after(
        request,
        image_id,
        lambda: claims.claim(image_id=image_id, user=request.user, request=request),
    )


@require_POST
@requires(Can.FINDING_REVIEW)
def release(request: PageRequest, image_id: int) -> HttpResponse:
    """Give the film back to the line."""
    claims.release(image_id=image_id, user=request.user, request=request)
    return redirect("reading:worklist")


@require_POST
@requires(Can.FINDING_REVIEW)
def read_anyway(request: PageRequest, image_id: int) -> HttpResponse:
    """Have the detector read a film that the image gate refused."""
    try:
        read = selectors.film_state(image_id, user=request.user)
        requests.read_anyway(run_id=read.run_id or 0, user=request.user, request=request)
    except DomainError as error:
        if not request.htmx:
            raise
        return panels(request, image_id, error=error, swapped="findings")
    # the whole page: its badge asks until the run has ended
    return go(request, reverse("reading:film", args=[image_id]))


@require_POST
@requires(Can.FINDING_REVIEW)
def sign(request: PageRequest, image_id: int) -> HttpResponse:
    """Sign; with `then=next` go on to the most urgent film that nobody holds."""
    try:
        form = ReportSignForm(request.POST)
        report_sign.sign_film(
            image_id=image_id,
            user=request.user,
            conclusion=cleaned(form)["conclusion"],
            sections=form.edited(),
            request=request,
        )
    except DomainError as error:
        if not request.htmx:
            raise
        if error.code == "take_first":  # the page is of before the first reading: start anew
            claims.claim(image_id=image_id, user=request.user, request=request)
        return panels(request, image_id, error=error, swapped="report")
    if request.POST.get("then") == "next":
        return go(request, next_film(request, image_id))
    if request.htmx:
        return panels(request, image_id, swapped="report")
    return redirect("reading:film", image_id)


@require_POST
@requires(Can.FINDING_REVIEW)
def add_addendum(request: PageRequest, image_id: int) -> HttpResponse:
    """Text under the signature; the signed report stays as it is."""
    try:
        data = cleaned(AddendumForm(request.POST))
        addenda.add(image_id=image_id, user=request.user, text=data["text"], request=request)
    except DomainError as error:
        if not request.htmx:
            raise
        return panels(request, image_id, error=error, swapped="report", line=False)
    if request.htmx:
        return panels(request, image_id, swapped="report", line=False)
    return redirect("reading:film", image_id)


def _context(request: PageRequest, image_id: int, policy: ReadingPolicy) -> dict[str, Any]:
    found = selectors.film(image_id=image_id, user=request.user, ceiling=policy.ceiling)
    impressions = selectors_blinded.impressions_of(
        image_id, user=request.user, signed=found.signature is not None
    )
    taken = found.claim is not None and found.claim.by_id != request.user.pk
    double = standing(
        image=found.image, user=request.user, signature=found.signature, policy=policy
    )
    thresholds = found.run.counts_from if found.run else {}
    return {
        "film": found,
        "image": found.image,
        "state": selectors.state_of(found),
        "taken": taken,
        "on_call_lists": selectors_critical.lists(),
        "addenda": addenda_of(found.signature),
        "re_reads": selectors_rereads.of_film(image_id) if found.signature else [],
        "impressions": impressions,
        "drawn_blind": selectors_blinded.drawn_blind(impressions),
        "report": None
        if taken or found.signature
        else panel(found, request, first=selectors_blinded.own_of(impressions, request.user)),
        "unsigned_words": unsigned_words(found, request.user) if found.signature else [],
        "double": double,
        "locked": taken or double.locked or found.signature is not None,
        "labels": Label.choices,
        "conclusions": Conclusion.choices,
        "choices": Choice.choices,
        "reject_reasons": RejectReason.choices,
        "start_score": min(thresholds.values(), default=0.0),
    }


def _findings_after(request: PageRequest, image_id: int, act: Callable[[], object]) -> HttpResponse:
    try:
        act()
    except DomainError as error:
        if not request.htmx:
            raise
        return panels(request, image_id, error=error, swapped="findings")
    if not request.htmx:
        return redirect("reading:film", image_id)
    return panels(request, image_id, swapped="findings")


def panels(
    request: PageRequest,
    image_id: int,
    *,
    swapped: str,
    error: DomainError | None = None,
    line: bool = True,
) -> HttpResponse:
    """The panel that was asked for; the other one too where the film's state changed under it.

    Then with `line` the panel of the line asks anew as well; an addendum leaves alone what is
    typed there.
    """
    context = _context(request, image_id, policy_now()) | {"error": error}
    both = context["locked"] or (error is not None and error.code == "take_first")
    html = render_to_string(f"reading/parts/{swapped}.html", context, request)
    if both:
        other = "report" if swapped == "findings" else "findings"
        rest = context | {"out_of_band": True, "error": None}
        html += render_to_string(f"reading/parts/{other}.html", rest, request)
    status = status_of(error) if error else HTTPStatus.OK
    # an answer that says what is wrong is shown in its place, whatever its status
    headers = {"X-Swap-Error": "yes"} if error else {}
    if both and line:
        headers["HX-Trigger"] = "film-locked"
    return HttpResponse(html, status=status, headers=headers)
