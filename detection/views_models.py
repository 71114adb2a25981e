"""Pages of the models: which one reads, how good each is, and may another replace it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can, may
from accounts.services import audit
from detection import selectors_versions
from detection.figures import figures_of, training_lines
from detection.models import DetectorVersion, Purpose, VersionState
from detection.page_request import PageRequest
from detection.services import comparison, readings, versions
from detection.services import shadow as shadows
from detection.services.version_states import allowed
from detection.services.which import version_by_id
from detection.views_uploads import uploads_context
from twinhealth.errors import ConflictError, DomainError, InvalidInputError
from twinhealth.web.errors import status_of

HISTORY_ROWS = 50
FILMS_SCORED = 200


@require_GET
@requires(Can.VERSION_ADMIN)
def models(request: PageRequest) -> HttpResponse:
    """Which model reads, how good it is, and may another replace it."""
    rows = list(selectors_versions.versions())
    for version in rows:
        version.figures = figures_of(version.metrics, version.classes)  # type: ignore[attr-defined]
        version.made = training_lines(version.training)  # type: ignore[attr-defined]
    history = selectors_versions.promotions()[:HISTORY_ROWS]
    context = {
        "active": next((v for v in rows if v.state == VersionState.ACTIVE), None),
        "others": [v for v in rows if v.state != VersionState.ACTIVE],
        "history": history,
        "before": next((change.instead_of for change in history), None),
        "reason_length": versions.REASON_LENGTH,
        "most_weights": settings.MAX_WEIGHTS_BYTES,
        **uploads_context(),
    }
    return render(request, "detection/models.html", context)


@require_GET
@requires(Can.VERSION_ADMIN)
def compare(request: PageRequest, version_id: int) -> HttpResponse:
    """A version beside the active one, and what may be done with it."""
    return _compare(request, version_id)


def _compare(
    request: PageRequest, version_id: int, *, error: DomainError | None = None, reason: str = ""
) -> HttpResponse:
    found = version_by_id(version_id)
    active = versions.active_version()
    reads = found.state == VersionState.ACTIVE
    context: dict[str, Any] = {
        "version": found,
        "other": None if reads else active,
        "reads": reads,
        "steps": {step.name.lower() for step in allowed(found.state)},
        "gate": comparison.Gate() if reads else comparison.gate(found, active),
        "chosen": comparison.chosen_on_val(found),
        "shortest": versions.SHORTEST_REASON,
        "longest": versions.REASON_LENGTH,
        "error": error,
        "reason": reason,
        "films_scored": FILMS_SCORED,
        "most_films": readings.MOST_FILMS,
    }
    if active is not None and not reads:
        context |= {
            "sets": selectors_versions.both_sets(found, active),
            "signed": selectors_versions.signed(found, active),
            "scored": [
                (v, selectors_versions.progress(v, Purpose.SCORING)) for v in (found, active)
            ],
            **_along(request, found, active),
        }
    status = status_of(error) if error else HTTPStatus.OK
    return render(request, "detection/compare.html", context, status=status)


def _along(request: PageRequest, found: DetectorVersion, active: DetectorVersion) -> dict[str, Any]:
    agreed = selectors_versions.shadow_agreement(found, active)
    listed = agreed.differing[: selectors_versions.FILMS_LISTED]
    if listed:
        audit.record(
            actor=request.user,
            verb="listed",
            obj=found,
            request=request,
            detail={"films": list(listed)},
        )
    return {
        "agreement": agreed,
        "differing": listed,
        "along": selectors_versions.progress(found, Purpose.SHADOW),
        "may_see_films": may(request.user, Can.FINDING_REVIEW),
    }


@require_POST
@requires(Can.VERSION_ADMIN)
def promote(request: PageRequest, version_id: int) -> HttpResponse:
    """Make a version the one that reads from now on; a refusal is told beside the comparison."""
    reason = request.POST.get("reason", "")
    try:
        done = versions.promote(
            version_id=version_id,
            user=request.user,
            reason=reason,
            instead_of=_number(request.POST.get("instead_of", "")),
            request=request,
        )
    except (ConflictError, InvalidInputError) as error:
        return _compare(request, version_id, error=error, reason=reason)
    messages.success(request, f"{done.name} reads from now on.")
    return redirect("detection:models")


@require_POST
@requires(Can.VERSION_ADMIN)
def roll_back(request: PageRequest) -> HttpResponse:
    """The version that read before reads again."""
    reason = request.POST.get("reason", "")
    version = versions.roll_back(user=request.user, reason=reason, request=request)
    messages.success(request, f"Rolled back: {version.name} reads again.")
    return redirect("detection:models")


@require_POST
@requires(Can.VERSION_ADMIN)
def shadow(request: PageRequest, version_id: int) -> HttpResponse:
    """Read along from now on (`on=yes`), or no longer."""
    if request.POST.get("on") == "yes":
        return _step(request, version_id, shadows.start_shadow, "{} reads along from now on.")
    return _step(request, version_id, shadows.stop_shadow, "{} no longer reads along.")


@require_POST
@requires(Can.VERSION_ADMIN)
def retire(request: PageRequest, version_id: int) -> HttpResponse:
    """Put a version away."""
    return _step(request, version_id, shadows.retire, "{} is retired.")


def _step(
    request: PageRequest, version_id: int, act: Callable[..., DetectorVersion], said: str
) -> HttpResponse:
    try:
        done = act(version_id=version_id, user=request.user, request=request)
    except ConflictError as error:
        return _compare(request, version_id, error=error)
    messages.success(request, said.format(done.name))
    return redirect("detection:compare", done.pk)


@require_POST
@requires(Can.VERSION_ADMIN)
def score(request: PageRequest, version_id: int) -> HttpResponse:
    """Have a version and the active one read the newest signed films."""
    asked = request.POST.get("last", "")
    number = _number(asked) if asked else FILMS_SCORED
    active = versions.active_version()
    try:
        for pk in {version_id, active.pk if active else version_id}:
            readings.score_signed_films(
                version_id=pk, last=number or 0, user=request.user, request=request
            )
    except (ConflictError, InvalidInputError) as error:
        return _compare(request, version_id, error=error)
    messages.success(request, "They are read when no clinician's film waits.")
    return redirect("detection:compare", version_id)


def _number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 18 else None
