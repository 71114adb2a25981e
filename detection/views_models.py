"""Pages of the models: which one reads, how good it is, and who decided so."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from detection import selectors
from detection.figures import figures_of
from detection.models import DetectorVersion, VersionState
from detection.page_request import PageRequest
from detection.services import versions

HISTORY_ROWS = 50


@require_GET
@requires(Can.VERSION_ADMIN)
def models(request: PageRequest) -> HttpResponse:
    """Which model reads, how good it is, and may another replace it."""
    rows = list(selectors.versions())
    for version in rows:
        version.figures = figures_of(version.metrics, version.classes)  # type: ignore[attr-defined]
    history = selectors.promotions()[:HISTORY_ROWS]
    context = {
        "active": next((v for v in rows if v.state == VersionState.ACTIVE), None),
        "others": [v for v in rows if v.state != VersionState.ACTIVE],
        "history": history,
        "before": next((change.instead_of for change in history), None),
        "reason_length": versions.REASON_LENGTH,
    }
    return render(request, "detection/models.html", context)


@require_POST
@requires(Can.VERSION_ADMIN)
def promote(request: PageRequest, version_id: int) -> HttpResponse:
    """Make a version the one that reads from now on."""
    get_object_or_404(DetectorVersion, pk=version_id)
    version = versions.promote(
        version_id=version_id,
        user=request.user,
        reason=request.POST.get("reason", ""),
        request=request,
    )
    messages.success(request, f"{version.name} reads from now on.")
    return redirect("detection:models")


@require_POST
@requires(Can.VERSION_ADMIN)
def roll_back(request: PageRequest) -> HttpResponse:
    """The version that read before reads again."""
    reason = request.POST.get("reason", "")
    version = versions.roll_back(user=request.user, reason=reason, request=request)
    messages.success(request, f"Rolled back: {version.name} reads again.")
    return redirect("detection:models")
