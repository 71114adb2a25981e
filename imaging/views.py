"""Pages of this room: upload, quarantine."""

from __future__ import annotations

from typing import Any, cast

from django.conf import settings
from django.contrib import messages
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt, csrf_protect
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from twinhealth.errors import DomainError

from . import selectors
from .models import Intake, Outcome, QuarantinedFile
from .models.image import Door
from .models.intake import QuarantineState
from .services.doors import check_request_size, kind_of, receive_file
from .services.quarantine import dismiss
from .services.zips import Received, receive_zip
from .sniff import Kind

_PAGE = 50
# rows of one zip that are shown at once; the list below has them all
_SHOWN_AT_ONCE = 100


@csrf_exempt  # the size is looked at first: CSRF's own check reads the whole form; see `_upload`
@require_http_methods(["GET", "POST"])
@requires(Can.IMAGE_UPLOAD)
def upload(request: HttpRequest) -> HttpResponse:
    """The upload page, and where its files go."""
    if request.method == "POST":
        check_request_size(request.META.get("CONTENT_LENGTH"), limit=settings.MAX_REQUEST_BYTES)
    return _upload(request)


@csrf_protect
def _upload(request: HttpRequest) -> HttpResponse:
    user = cast("User", request.user)
    if request.method != "POST":
        context = _intakes(request, user)
        context["limits"] = {
            "file": settings.MAX_UPLOAD_BYTES,
            "request": settings.MAX_REQUEST_BYTES,
        }
        context["zone"] = settings.TIME_ZONE
        return render(request, "imaging/upload.html", context)
    received = [
        item for file in request.FILES.getlist("file") for item in _receive(request, user, file)
    ]
    if "X-Upload" in request.headers:  # upload.js: rows of the table, whatever became of it
        rows = [_row(item) for item in received]
        context = {"rows": rows[:_SHOWN_AT_ONCE], "more": max(0, len(rows) - _SHOWN_AT_ONCE)}
        return render(request, "imaging/_rows.html", context)
    _tell(request, received)
    return redirect("imaging:upload")


def _receive(request: HttpRequest, user: User, file: UploadedFile) -> list[Received]:
    """One part of the form: a film, or a zip of them. Refusals are results, not errors."""
    fields = {key: str(value) for key, value in request.POST.items()}
    source, name = cast("Any", file), file.name or ""
    common: dict[str, Any] = {
        "fields": fields,
        "door": Door.BROWSER,
        "actor": user,
        "request": request,
    }
    try:
        zipped = file.size and kind_of(source) is Kind.ZIP
        if zipped:
            return list(receive_zip(source=source, filename=name, **common))
        return [Received(name, receive_file(source=source, filename=name, **common), None)]
    except DomainError as error:
        return [Received(name, None, error)]


def _row(item: Received) -> Intake:
    """The delivery's row; one made up for the page where the database couldn't keep it."""
    if item.result is not None:
        return item.result.intake
    error = cast("DomainError", item.error)
    row = Intake.objects.filter(pk=error.extra.get("intake", 0)).first()
    return row or Intake(
        filename=item.filename,
        outcome=Outcome.REFUSED,
        code=error.code,
        message=error.message,
        at=timezone.now(),
    )


def _tell(request: HttpRequest, received: list[Received]) -> None:
    """What a page without scripts says after sending."""
    if not received:
        messages.error(request, "No file was chosen.")
        return
    refused = [item for item in received if item.error is not None]
    stored = len(received) - len(refused)
    if stored:
        messages.success(request, f"{stored} of {len(received)} files are stored.")
    for item in refused[:5]:
        error = cast("DomainError", item.error)
        messages.error(request, f"{item.filename}: {error.message}")
    if len(refused) > 5:
        messages.error(request, f"{len(refused) - 5} more were refused; the list says why.")


@require_GET
@requires(Can.IMAGE_UPLOAD)
def uploads_status(request: HttpRequest) -> HttpResponse:
    """The list of the person's files alone, for htmx."""
    return render(request, "imaging/_intakes.html", _intakes(request, cast("User", request.user)))


def _intakes(request: HttpRequest, user: User) -> dict[str, Any]:
    outcome = request.GET.get("outcome", "")
    counts = selectors.intake_counts(user)
    return {
        "page_obj": _page(request, selectors.intakes_of(user, outcome=outcome)),
        "outcome": outcome if outcome in Outcome.values else "",
        "chips": [(value, label, counts.get(value, 0)) for value, label in Outcome.choices],
        "total": sum(counts.values()),
        "now": timezone.now(),
    }


def _page(request: HttpRequest, rows: Any) -> Page[Any]:
    return Paginator(rows, _PAGE).get_page(request.GET.get("page"))


@require_GET
@requires(Can.QUARANTINE_READ)
def quarantine(request: HttpRequest) -> HttpResponse:
    """Files whose identity contradicts the archive: metadata only, no pictures."""
    state = request.GET.get("state", QuarantineState.OPEN)
    page = _page(request, selectors.quarantined(state=state))
    audit.record(
        actor=cast("User", request.user),
        verb="listed",
        obj=QuarantinedFile,
        request=request,
        detail={"quarantined": [row.pk for row in page]},
    )
    return render(
        request,
        "imaging/quarantine.html",
        {
            "page_obj": page,
            "state": state if state in QuarantineState.values else "all",
            "open_count": selectors.open_quarantine_count(),
            "may_open": may(request.user, Can.IMAGE_PIXELS),
            "now": timezone.now(),
        },
    )


@require_POST
@requires(Can.QUARANTINE_READ)
def quarantine_dismiss(request: HttpRequest, quarantined_id: int) -> HttpResponse:
    """Somebody looked at it."""
    dismiss(quarantined_id=quarantined_id, actor=cast("User", request.user), request=request)
    messages.success(request, "Marked as looked at. The file stays in quarantine.")
    return redirect("imaging:quarantine")
