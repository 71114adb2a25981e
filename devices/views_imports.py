"""Pages of files of readings."""

from __future__ import annotations

from typing import cast

from django.conf import settings
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from devices.csv_readings import DECIMALS, FORMS
from devices.csv_text import DELIMITERS, ENCODINGS
from devices.forms_imports import ImportForm
from devices.models import ReadingImport
from devices.selectors import imports as selectors
from devices.services import reading_imports as services
from twinhealth.errors import DomainError

from .views import actor

PAGE = 50


@require_http_methods(["GET", "POST"])
@requires(Can.READING_WRITE)
def imports(request: HttpRequest) -> HttpResponse:
    """Send a file, and those that were sent."""
    form = ImportForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        upload = form.cleaned_data["file"]
        try:
            job = services.receive(
                source=upload,
                filename=upload.name or "",
                options=form.options(),
                actor=actor(request),
                request=request,
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return redirect("devices:import", pk=job.pk)
    page = Paginator(selectors.imports(), PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page_obj": page, "zone": settings.TIME_ZONE}
    return render(request, "devices/imports.html", context, status=400 if form.is_bound else 200)


@require_GET
@requires(Can.READING_WRITE)
def import_page(request: HttpRequest, pk: int) -> HttpResponse:
    """What becomes of each row; renewed while a worker is at it."""
    job = selectors.get(pk)
    dialect = job.dialect
    context = {
        "job": job,
        "at_work": job.state in {"checking", "storing"},
        "how": [
            ("Encoding", ENCODINGS[dialect["encoding"]]),
            ("Cells separated by", DELIMITERS[dialect["delimiter"]]),
            ("Decimal sign", DECIMALS[dialect["decimal"]]),
            ("Form", FORMS[dialect["form"]]),
            ("Zone of times without an offset", dialect["zone"]),
            *([("Machine", dialect["device"])] if dialect["device"] else []),
            *((f"Column of {name}", heading) for name, heading in dialect["columns"].items()),
        ],
        "page_obj": Paginator(selectors.refused(job), PAGE).get_page(request.GET.get("page")),
    }
    if not getattr(request, "htmx", False):
        return render(request, "devices/import.html", context)
    response = render(request, "devices/parts/import_body.html", context)
    if not context["at_work"]:
        response["HX-Refresh"] = "true"  # nothing more will happen by itself
    return response


def _step(request: HttpRequest, job: ReadingImport, step: str) -> None:
    service = services.store if step == "store" else services.discard
    try:
        service(job=job, actor=actor(request), request=request)
    except DomainError as error:
        messages.error(request, error.message)


@require_POST
@requires(Can.READING_WRITE)
def import_store(request: HttpRequest, pk: int) -> HttpResponse:
    """Store the good rows."""
    _step(request, selectors.get(pk), "store")
    return redirect("devices:import", pk=pk)


@require_POST
@requires(Can.READING_WRITE)
def import_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Not this file."""
    _step(request, selectors.get(pk), "discard")
    return redirect("devices:import", pk=pk)


@require_GET
@requires(Can.READING_WRITE)
def import_refused(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Refused rows as a file."""
    lines = selectors.refused_csv(selectors.get(pk))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="refused-{pk}.csv"'
    return cast("HttpResponseBase", response)
