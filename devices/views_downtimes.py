"""Pages of downtime: record one, end it, correct or remove it."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from . import selectors_maintenance as selectors
from .forms_downtimes import CorrectionForm, DowntimeForm
from .services import downtimes
from .views_maintenance import actor, back, rights

FORM = "devices/maintenance_downtime_form.html"


def _list() -> str:
    return f"{reverse('devices:maintenance')}?view=downtimes"


def _tried(
    request: HttpRequest, form: forms.Form, context: dict[str, Any], write: Callable[[], str]
) -> HttpResponse:
    """Write what the form says, or show it again with what is wrong; what was typed stays."""
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.BAD_REQUEST
        if form.is_valid():
            try:
                message = write()
            except DomainError as error:
                form.add_error(None, error.message)
                context["in_the_way"] = error.extra.get("downtime")
                status = status_of(error)
            else:
                messages.success(request, message)
                return redirect(_list())
    return render(request, FORM, {"form": form, **context, **rights(request)}, status=status)


@requires(Can.ORDER_WORK)
@require_http_methods(["GET", "HEAD", "POST"])
def downtime_new(request: HttpRequest) -> HttpResponse:
    """A machine is, was, or will be down."""
    initial = {"device": request.GET.get("device"), "order": request.GET.get("order")}
    form = DowntimeForm(request.POST or None, initial=initial)

    def write() -> str:
        made = downtimes.create(actor=actor(request), request=request, **form.cleaned_data)
        return f"Recorded: {made.device} is down."

    return _tried(request, form, {}, write)


@requires(Can.ORDER_WORK)
@require_http_methods(["GET", "HEAD", "POST"])
def downtime_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Set the record right, also one of the past."""
    found = selectors.downtime(pk)
    form = CorrectionForm(request.POST or None, initial=CorrectionForm.of(found))

    def write() -> str:
        values = form.values(found)
        downtimes.correct(downtime=found, actor=actor(request), request=request, **values)
        return "Corrected. The audit trail keeps what it said before."

    return _tried(request, form, {"downtime": found}, write)


@requires(Can.ORDER_WORK)
@require_POST
def downtime_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Take away one that never was."""
    found = selectors.downtime(pk)
    why = request.POST.get("why", "")
    downtimes.remove(downtime=found, actor=actor(request), why=why, request=request)
    messages.success(request, "Removed. The audit trail keeps what it said.")
    return redirect(_list())


@requires(Can.ORDER_WORK)
@require_POST
def downtime_end(request: HttpRequest, pk: int) -> HttpResponse:
    """The machine is usable again."""
    found = selectors.downtime(pk)
    downtimes.end(downtime=found, actor=actor(request), request=request)
    messages.success(request, f"{found.device} is usable again.")
    return back(request, "devices:maintenance")
