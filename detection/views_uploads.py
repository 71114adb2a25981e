"""Sending weights in the browser, and what became of them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from detection import selectors_versions
from detection.page_request import PageRequest
from detection.services import uploads as uploading
from imaging.services.doors import check_request_size
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

SHOWN = 10


@csrf_exempt  # the size is looked at first: CSRF's own check reads the whole form
@require_POST
@requires(Can.VERSION_ADMIN)
def upload(request: PageRequest) -> HttpResponse:
    """A weights file and its manifest, stored as data; a worker looks at it."""
    check_request_size(request.META.get("CONTENT_LENGTH"), limit=uploading.most_bytes())
    return _upload(request)


@csrf_protect
def _upload(request: PageRequest) -> HttpResponse:
    try:
        made = uploading.receive_form(request.FILES, user=request.user, request=request)
    except DomainError as error:
        if status_of(error) >= HTTPStatus.INTERNAL_SERVER_ERROR:
            raise
        messages.error(request, error.message)
    else:
        messages.success(request, f"{made.name} is stored; a worker checks it.")
    return redirect("detection:models")


@require_GET
@requires(Can.VERSION_ADMIN)
def uploads(request: PageRequest) -> HttpResponse:
    """What became of the last uploads; asks again while one is being checked."""
    return render(request, "detection/parts/uploads.html", uploads_context())


def uploads_context() -> dict[str, Any]:
    """The last uploads, and whether one of them may still change."""
    rows = list(selectors_versions.uploads()[:SHOWN])
    return {"uploads": rows, "checking": any(not row.ended for row in rows)}
