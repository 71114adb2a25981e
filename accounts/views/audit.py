"""The audit trail, for admins. Reading it is itself written into it."""

from __future__ import annotations

import json
from collections.abc import Iterator

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts import csvsafe, selectors
from accounts.decorators import requires
from accounts.forms import AuditForm
from accounts.models import AuditEntry
from accounts.permissions import Can
from accounts.services import audit
from twinhealth.errors import InvalidInputError
from twinhealth.web import badges

from .session import _user

EXPORT_CAP = 50_000
HEADER = (
    "at", "actor", "role", "verb", "object_type", "object_id", "patient", "address", "request",
    "detail",
)  # fmt: skip


@requires(Can.AUDIT_READ)
@require_safe
def audit_page(request: HttpRequest) -> HttpResponse:
    """Rows, newest first, filtered."""
    form = AuditForm(request.GET or None)
    chosen = form.chosen() if form.is_bound else selectors.AuditFilter()
    page = selectors.audit_page(chosen, before=request.GET.get("before", ""))
    audit.record(
        actor=_user(request),
        verb="viewed",
        obj=AuditEntry,
        patient_id=chosen.patient,
        request=request,
        detail=chosen.as_dict(),
    )
    context = {
        "form": form,
        "page": page,
        "filters": chosen.as_dict(),
        "now": timezone.now(),
        "export_cap": EXPORT_CAP,
        "quarantine": badges.badge("imaging:quarantine", request.user),
    }
    return render(request, "accounts/audit.html", context)


@requires(Can.AUDIT_READ)
@require_safe
def audit_export(request: HttpRequest) -> StreamingHttpResponse:
    """The newest rows of a filter as CSV, at most `EXPORT_CAP`; a last row says so."""
    form = AuditForm(request.GET)
    chosen = form.chosen()
    if form.errors:  # never more than was asked for
        raise InvalidInputError("invalid_filter", "A filter can't be understood; correct it.")
    audit.record(
        actor=_user(request),
        verb="exported",
        obj=AuditEntry,
        patient_id=chosen.patient,
        request=request,
        detail=chosen.as_dict(),
    )
    response = StreamingHttpResponse(
        csvsafe.stream(HEADER, _rows(chosen)), content_type="text/csv; charset=utf-8"
    )
    name = f"audit-{timezone.localtime():%Y-%m-%d-%H%M}.csv"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Cache-Control"] = "no-store"
    return response


def _rows(chosen: selectors.AuditFilter) -> Iterator[tuple[object, ...]]:
    found = selectors.audit_entries(chosen)[: EXPORT_CAP + 1]
    for number, entry in enumerate(found.iterator(chunk_size=2000)):
        if number == EXPORT_CAP:
            yield (f"cut after {EXPORT_CAP} rows: narrow the filter",)
            return
        yield (
            timezone.localtime(entry.at).isoformat(),
            entry.actor_name,
            entry.actor_role,
            entry.verb,
            entry.object_type,
            entry.object_id,
            entry.patient_ref,
            entry.remote_addr,
            entry.request_id,
            json.dumps(entry.detail, ensure_ascii=False, sort_keys=True) if entry.detail else "",
        )
