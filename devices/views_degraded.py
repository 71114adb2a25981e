"""A machine's marks as degraded: seen by all, made, ended and withdrawn by engineers."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can, may
from devices.forms_degraded import DegradedForm, EndForm, WithdrawForm, typed
from devices.models import Alert, Device
from devices.selectors import twin as twin_selectors
from devices.selectors.degraded import spans_of
from devices.services import degraded as services
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from .views import actor


@require_GET
@requires(Can.DEVICE_HEALTH)
def degraded(request: HttpRequest, pk: int) -> HttpResponse:
    """The machine's marks and, for engineers, a form that `?alert=` fills in."""
    machine = twin_selectors.get(pk)
    return _page(request, machine, DegradedForm(initial=_given(request, machine)))


def _given(request: HttpRequest, machine: Device) -> dict[str, object]:
    """What an alert says of since and why."""
    named = request.GET.get("alert", "")[:18]
    found = Alert.objects.filter(pk=int(named) if named.isdecimal() else 0, device=machine)
    alert = found.select_related("rule").first()
    if alert is None:
        return {}
    return {
        "since": typed(alert.since),
        "reason": f"{alert.rule.name}: {alert.message}"[: services.MAX_REASON],
        "alert": alert.pk,
    }


def _page(
    request: HttpRequest, machine: Device, form: Form, error: DomainError | None = None
) -> HttpResponse:
    context = {
        "device": machine,
        "spans": [
            (span, EndForm(auto_id=f"end{span.pk}_%s"), WithdrawForm(auto_id=f"off{span.pk}_%s"))
            for span in spans_of(machine.pk)
        ],
        "form": form,
        "error": error,
        "marks": may(request.user, Can.DEVICE_WRITE),
        "works": may(request.user, Can.REREAD_READ),
        "now_text": typed(timezone.now()),
    }
    status = status_of(error) if error else HTTPStatus.OK
    if form.is_bound and not error:
        status = HTTPStatus.BAD_REQUEST
    return render(request, "devices/degraded.html", context, status=status)


@require_POST
@requires(Can.DEVICE_WRITE)
def degraded_mark(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark it; what is refused leaves the form as it was typed."""
    machine = twin_selectors.get(pk)
    form = DegradedForm(request.POST)
    if not form.is_valid():
        return _page(request, machine, form)
    data = form.cleaned_data
    try:
        _, made = services.mark(
            device=machine,
            since=data["since"],
            until=data["until"],
            reason=data["reason"],
            alert=Alert.objects.filter(pk=data["alert"] or 0).first(),
            actor=actor(request),
            request=request,
        )
    except DomainError as error:
        return _page(request, machine, _with_until(request, form, error), error)
    said = f"{machine} is marked as degraded. A worker looks at its films now."
    messages.success(request, said if made else f"{machine} was marked so already.")
    return redirect("devices:degraded", pk=pk)


def _with_until(request: HttpRequest, form: DegradedForm, error: DomainError) -> DegradedForm:
    """Where an earlier part can be marked, the form has its end filled in."""
    until = parse_datetime(str(error.extra.get("until", "")))
    if until is None:
        return form
    return DegradedForm({**request.POST.dict(), "until": typed(until)})


@require_POST
@requires(Can.DEVICE_WRITE)
def degraded_end(request: HttpRequest, pk: int, span_id: int) -> HttpResponse:
    """It is good again."""
    return _step(request, pk, span_id, EndForm(request.POST), "end")


@require_POST
@requires(Can.DEVICE_WRITE)
def degraded_withdraw(request: HttpRequest, pk: int, span_id: int) -> HttpResponse:
    """The mark was a mistake."""
    return _step(request, pk, span_id, WithdrawForm(request.POST), "withdraw")


def _step(request: HttpRequest, pk: int, span_id: int, form: Form, step: str) -> HttpResponse:
    span = services.get(device_id=pk, span_id=span_id)
    if not form.is_valid():
        first = next(iter(form.errors.values()))[0]
        messages.error(request, f"Nothing was changed. {first}")
        return redirect("devices:degraded", pk=pk)
    act, said = {
        "end": (services.end, "The mark has its end. A worker looks at the films after it now."),
        "withdraw": (services.withdraw, "The mark is withdrawn; it stays to be read."),
    }[step]
    try:
        act(span=span, actor=actor(request), request=request, **form.cleaned_data)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect("devices:degraded", pk=pk)
