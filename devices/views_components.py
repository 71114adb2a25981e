"""Pages of a machine's parts: put in, replace, take out, withdraw a mistaken entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.decorators import requires
from accounts.permissions import Can
from devices.forms_components import CorrectForm, NewPartForm, PartForm, WhenAndWhy
from devices.models import Component, Device
from devices.selectors import components as selectors
from devices.selectors import twin as twin_selectors
from devices.services import components as services
from twinhealth.errors import DomainError

from .views import actor


def _handled(
    request: HttpRequest,
    device: Device,
    *,
    form: forms.Form,
    heading: str,
    button: str,
    step: Callable[[Any], Component],
    said: str,
    component: Component | None = None,
) -> HttpResponse:
    """The form, or what came of it."""
    if request.method == "POST" and form.is_valid():
        try:
            done = step(form)
        except DomainError as error:
            field = error.extra.get("field")
            form.add_error(field if field in form.fields else None, error.message)
        else:
            messages.success(request, f"{done}: {said}.")
            return redirect("devices:device", pk=device.pk)
    context = {
        "device": device,
        "form": form,
        "heading": heading,
        "button": button,
        "component": component,
    }
    status = 400 if form.is_bound else 200
    return render(request, "devices/component_form.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Can.DEVICE_WRITE)
def component_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Put a part in."""
    device = twin_selectors.get(pk)
    form = NewPartForm(request.POST or None, counters=list(selectors.counters_of(device)))

    def step(form: NewPartForm) -> Component:
        data = form.cleaned_data
        return services.install(
            device=device,
            kind=data["kind"],
            position=data["position"],
            part=form.part(),
            at=form.when(),
            reason=data["reason"],
            actor=actor(request),
            request=request,
        )

    return _handled(
        request,
        device,
        form=form,
        heading="Put a part in",
        button="Put in",
        step=step,
        said="it is in",
    )


@require_http_methods(["GET", "POST"])
@requires(Can.DEVICE_WRITE)
def component_replace(request: HttpRequest, pk: int, component_id: int) -> HttpResponse:
    """Another part into its place."""
    device = twin_selectors.get(pk)
    old = services.get(device=device, component_id=component_id)
    form = PartForm(
        request.POST or None,
        counters=list(selectors.counters_of(device, old.kind)),
        initial={"manufacturer": old.manufacturer, "model_name": old.model_name},
    )

    def step(form: PartForm) -> Component:
        return services.replace(
            component=old,
            part=form.part(),
            at=form.when(),
            reason=form.cleaned_data["reason"],
            actor=actor(request),
            request=request,
        )

    return _handled(
        request,
        device,
        form=form,
        heading=f"Replace the {old.place}",
        button="Replace",
        step=step,
        said="it is in",
        component=old,
    )


@require_http_methods(["GET", "POST"])
@requires(Can.DEVICE_WRITE)
def component_remove(request: HttpRequest, pk: int, component_id: int) -> HttpResponse:
    """Take a part out."""
    device = twin_selectors.get(pk)
    part = services.get(device=device, component_id=component_id)

    def step(form: WhenAndWhy) -> Component:
        return services.remove(
            component=part,
            at=form.when(),
            reason=form.cleaned_data["reason"],
            actor=actor(request),
            request=request,
        )

    return _handled(
        request,
        device,
        form=WhenAndWhy(request.POST or None),
        heading=f"Take out the {part.place}",
        button="Take out",
        step=step,
        said="it is out",
        component=part,
    )


@require_http_methods(["GET", "POST"])
@requires(Can.DEVICE_WRITE)
def component_correct(request: HttpRequest, pk: int, component_id: int) -> HttpResponse:
    """Withdraw the last entry about a part."""
    device = twin_selectors.get(pk)
    part = services.get(device=device, component_id=component_id)

    def step(form: CorrectForm) -> Component:
        reason = form.cleaned_data["reason"]
        return services.correct(
            component=part, reason=reason, actor=actor(request), request=request
        )

    wrong = "removal" if part.removed_at else "installation"
    return _handled(
        request,
        device,
        form=CorrectForm(request.POST or None),
        heading=f"The {wrong} was a mistake",
        button="Withdraw the entry",
        step=step,
        said="the entry is withdrawn",
        component=part,
    )
