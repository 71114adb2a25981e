"""Photos and documents of a work order."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import FileResponse, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from twinhealth.errors import DomainError, InvalidInputError

from . import selectors_maintenance as selectors
from .models import OrderFile, WorkOrder
from .services import kept_files, order_files
from .views_maintenance import actor


def as_response(file: kept_files.KeptFile) -> FileResponse:
    """The bytes: pictures to be looked at, a PDF to be saved."""
    found = FileResponse(
        kept_files.opened(file),
        content_type=file.kind,
        as_attachment=not file.is_picture,
        filename=file.filename,
    )
    found["X-Content-Type-Options"] = "nosniff"
    return found


def attach_photos(request: HttpRequest, found: WorkOrder) -> int:
    """Photos that came with the form, each by the place of its step; how many.

    Raises:
        DomainError: as `order_files.attach`.
    """
    count = 0
    for name, upload in request.FILES.items():
        place = name.removeprefix("photo-")
        if place.isdecimal() and len(place) < 4:
            _attach(request, found, upload, int(place))
            count += 1
    return count


def _attach(request: HttpRequest, found: WorkOrder, upload: Any, step: int | None) -> OrderFile:
    return order_files.attach(
        order=found,
        actor=actor(request),
        source=upload,
        filename=upload.name or "",
        step=step,
        request=request,
    )


@requires(Can.ORDER_WORK)
@require_POST
def order_attach(request: HttpRequest, pk: int) -> HttpResponse:
    """A document."""
    found = selectors.order(pk)
    upload = request.FILES.get("file")
    try:
        if upload is None:
            raise InvalidInputError("file_missing", "Choose a file first.")
        _attach(request, found, upload, None)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Attached.")
    return redirect("devices:order", pk)


@requires(Can.MAINTENANCE_READ)
@require_safe
def order_file(request: HttpRequest, pk: int, file: int) -> HttpResponseBase:
    """The file itself."""
    return as_response(order_files.get(selectors.order(pk), file))
