"""The page of how good one version is: the figures of its manifest, with their intervals."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can
from detection import version_report
from detection.models import DetectorVersion
from detection.page_request import PageRequest


@require_GET
@requires(Can.VERSION_ADMIN)
def report(request: PageRequest, version_id: int) -> HttpResponse:
    """Every headline figure with its interval and what it rests on."""
    version = get_object_or_404(DetectorVersion, pk=version_id)
    context = {"version": version, "sections": version_report.sections(version.metrics)}
    return render(request, "detection/version_report.html", context)
