"""The page on which a machine's details are changed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.decorators import requires
from accounts.permissions import Can
from devices.forms import DetailsForm
from devices.selectors import twin as twin_selectors
from devices.services.details import change_details
from twinhealth.errors import DomainError

from .views import actor


@require_http_methods(["GET", "POST"])
@requires(Can.DEVICE_WRITE)
def device_details(request: HttpRequest, pk: int) -> HttpResponse:
    """Name, room, criticality, AE titles, UDI."""
    device = twin_selectors.get(pk)
    initial = {name: getattr(device, name) for name in DetailsForm.base_fields}
    initial["ae_titles"] = ", ".join(device.ae_titles)
    form = DetailsForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            change_details(
                device=device, changes=form.cleaned_data, actor=actor(request), request=request
            )
        except DomainError as error:
            field = error.extra.get("field")
            form.add_error(field if field in form.fields else None, error.message)
        else:
            messages.success(request, "The details are saved.")
            return redirect("devices:device", pk=pk)
    context = {
        "device": device,
        "form": form,
        "heading": f"Details of {device}",
        "button": "Save",
    }
    status = 400 if form.is_bound else 200
    return render(request, "devices/component_form.html", context, status=status)
