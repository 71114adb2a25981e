"""Pages of the models: which one reads, how good each is, and may another replace it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can, may
from accounts.services import audit
from detection import selectors_versions
from detection.figures import figures_of
from detection.models import DetectorVersion, Purpose, UploadState, VersionState
from detection.page_request import PageRequest
from detection.services import promotion, readings, versions
from detection.services import uploads as uploading
from detection.services.version_states import allowed
from detection.services.which import version_by_id
from imaging.services.doors import check_request_size
from twinhealth.errors import ConflictError, DomainError, InvalidInputError
from twinhealth.web.errors import status_of

UPLOADS_SHOWN = 5
PROMOTIONS_SHOWN = 20
FILMS_SCORED = 200


@require_GET
@requires(Can.VERSION_ADMIN)
def models(request: PageRequest) -> HttpResponse:
    """All versions, the headline figures side by side, the shadow's agreement, the history."""
    rows = list(selectors_versions.versions())
    active = next((v for v in rows if v.state == VersionState.ACTIVE), None)
    shadow = next((v for v in rows if v.state == VersionState.SHADOW), None)
    shown = [v for v in (active, shadow) if v]
    shown += [v for v in rows if v.state == VersionState.CANDIDATE]
    history = list(selectors_versions.promotions()[:PROMOTIONS_SHOWN])
    context = {
        "active": active,
        "shadow": shadow,
        "versions": [*shown, *(v for v in rows if v not in shown)],
        "tables": selectors_versions.headline_tables(shown),
        "reports": [(v, found) for v in rows if (found := figures_of(v.metrics, v.classes))],
        "history": history,
        "reading_since": next((p for p in history if p.version == active), None),
        "max_bytes": settings.MAX_WEIGHTS_BYTES,
        **_uploads(),
        **(_along(request, shadow, active) if shadow else {}),
    }
    return render(request, "detection/models.html", context)


@require_GET
@requires(Can.VERSION_ADMIN)
def version(request: PageRequest, version_id: int) -> HttpResponse:
    """One version: what it is, what is known of it, and what may be done with it."""
    found = _version(version_id)
    active = _active()
    context = {
        "version": found,
        "active": active,
        "reads": found.state == VersionState.ACTIVE,
        "tables": selectors_versions.headline_tables([found]),
        "report": figures_of(found.metrics, found.classes),
        "history": list(selectors_versions.promotions().filter(version=found)),
        "steps": {step.name.lower() for step in allowed(found.state)},
        "scored": selectors_versions.progress(found, Purpose.SCORING),
        "films_scored": FILMS_SCORED,
        **_along(request, found, active),
    }
    return render(request, "detection/version.html", context)


@require_GET
@requires(Can.VERSION_ADMIN)
def compare(request: PageRequest, version_id: int) -> HttpResponse:
    """A version beside another, the active one unless `?with=` says otherwise."""
    return _compare(request, version_id, request.GET.get("with", ""))


def _compare(
    request: PageRequest,
    version_id: int,
    other: str = "",
    *,
    error: DomainError | None = None,
    reason: str = "",
) -> HttpResponse:
    found = _version(version_id)
    active = _active()
    with_ = _version(int(other)) if other.isdecimal() and len(other) < 18 else active
    context: dict[str, Any] = {
        "version": found,
        "other": with_,
        "may_promote": with_ == active and found.state != VersionState.ACTIVE,
        "gate": promotion.gate(found, active),
        "shortest": promotion.SHORTEST_REASON,
        "longest": promotion.LONGEST_REASON,
        "error": error,
        "reason": reason,
        "films_scored": FILMS_SCORED,
    }
    if with_ is not None:
        context |= {
            "sets": selectors_versions.both_sets(found, with_),
            "signed": selectors_versions.signed(found, with_),
            "scored": [
                (v, selectors_versions.progress(v, Purpose.SCORING)) for v in (found, with_)
            ],
        }
    status = status_of(error) if error else HTTPStatus.OK
    return render(request, "detection/compare.html", context, status=status)


@require_POST
@requires(Can.VERSION_ADMIN)
def promote(request: PageRequest, version_id: int) -> HttpResponse:
    """Make a version the one that reads; a refusal is told beside the comparison."""
    reason = request.POST.get("reason", "")
    believed = request.POST.get("instead_of", "")
    try:
        done = promotion.promote(
            version_id=version_id,
            user=request.user,
            reason=reason,
            instead_of=int(believed) if believed.isdecimal() and len(believed) < 18 else None,
            request=request,
        )
    except (ConflictError, InvalidInputError) as error:
        return _compare(request, version_id, error=error, reason=reason)
    messages.success(request, f"{done.name} reads from now on.")
    return redirect("detection:models")


@require_POST
@requires(Can.VERSION_ADMIN)
def roll_back(request: PageRequest, version_id: int) -> HttpResponse:
    """Back to the version that read before, in one click."""
    done = promotion.roll_back(
        version_id=version_id,
        user=request.user,
        reason=request.POST.get("reason", ""),
        request=request,
    )
    messages.success(request, f"Rolled back: {done.name} reads from now on.")
    return redirect("detection:models")


@require_POST
@requires(Can.VERSION_ADMIN)
def shadow(request: PageRequest, version_id: int) -> HttpResponse:
    """Read along from now on (`on=yes`), or no longer."""
    if request.POST.get("on") == "yes":
        return _step(request, version_id, versions.start_shadow, "{} reads along from now on.")
    return _step(request, version_id, versions.stop_shadow, "{} no longer reads along.")


@require_POST
@requires(Can.VERSION_ADMIN)
def retire(request: PageRequest, version_id: int) -> HttpResponse:
    """Put a version away."""
    return _step(request, version_id, versions.retire, "{} is retired.")


def _step(
    request: PageRequest, version_id: int, act: Callable[..., DetectorVersion], said: str
) -> HttpResponse:
    done = act(version_id=version_id, user=request.user, request=request)
    messages.success(request, said.format(done.name))
    return redirect("detection:version", done.pk)


@require_POST
@requires(Can.VERSION_ADMIN)
def score(request: PageRequest, version_id: int) -> HttpResponse:
    """Have a version, and the one it is compared with, read the newest signed films."""
    asked = request.POST.get("last", "")
    others = [int(pk) for pk in request.POST.getlist("too") if pk.isdecimal() and len(pk) < 18]
    last = int(asked) if asked.isdecimal() and len(asked) < 18 else FILMS_SCORED
    for pk in [version_id, *others[:1]]:
        readings.score_signed_films(version_id=pk, last=last, user=request.user, request=request)
    messages.success(request, "They are read when no clinician's film waits.")
    if others:
        return redirect("detection:compare", version_id)
    return redirect("detection:version", version_id)


@csrf_exempt  # the size is looked at first: CSRF's own check reads the whole form
@require_POST
@requires(Can.VERSION_ADMIN)
def upload(request: PageRequest) -> HttpResponse:
    """A weights file and its manifest, stored as data; a worker looks at it."""
    check_request_size(request.META.get("CONTENT_LENGTH"), limit=uploading.most_bytes())
    return _upload(request)


@csrf_protect
def _upload(request: PageRequest) -> HttpResponse:
    made = uploading.receive_form(request.FILES, user=request.user, request=request)
    messages.success(request, f"{made.name} is stored and being checked.")
    return redirect("detection:models")


@require_GET
@requires(Can.VERSION_ADMIN)
def uploads(request: PageRequest) -> HttpResponse:
    """What became of the last uploads; asks again while one is being checked."""
    return render(request, "detection/parts/uploads.html", _uploads())


def _uploads() -> dict[str, Any]:
    rows = list(selectors_versions.uploads()[:UPLOADS_SHOWN])
    return {"uploads": rows, "checking": any(u.state == UploadState.CHECKING for u in rows)}


def _along(
    request: PageRequest, found: DetectorVersion, active: DetectorVersion | None
) -> dict[str, Any]:
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


def _version(version_id: int) -> DetectorVersion:
    found = selectors_versions.versions().filter(pk=version_id).first()
    return found or version_by_id(version_id)  # which says that there is none


def _active() -> DetectorVersion | None:
    return selectors_versions.versions().filter(state=VersionState.ACTIVE).first()
