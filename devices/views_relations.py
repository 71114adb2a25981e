"""Pages of supplies, and of what one machine shares."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from devices.forms_alerts import RelationsForm, SupplyForm
from devices.models import Supply
from devices.selectors import relations as selectors
from devices.selectors import twin as twin_selectors
from devices.services import relations as services
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from .views import actor

SHOWN = 20


@require_GET
@requires(Can.DEVICE_READ)
def supplies(request: HttpRequest) -> HttpResponse:
    """What several machines hang on."""
    return render(request, "devices/supplies.html", {"supplies": selectors.supplies()})


@require_http_methods(["GET", "POST"])
@requires(Can.DEVICE_WRITE)
def supply_new(request: HttpRequest) -> HttpResponse:
    """Name a new one."""
    return _edit(request, None)


@require_http_methods(["GET", "POST"])
@requires(Can.DEVICE_WRITE)
def supply(request: HttpRequest, pk: int) -> HttpResponse:
    """One supply: its machines, and the incidents on it."""
    return _edit(request, services.get(pk))


def _edit(request: HttpRequest, found: Supply | None) -> HttpResponse:
    status = 200
    initial = {}
    if found is not None:
        initial = {
            "name": found.name,
            "kind": found.kind,
            "note": found.note,
            "devices": selectors.members(found),
        }
    form = SupplyForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                saved = services.save_supply(
                    actor=actor(request), supply=found, request=request, **form.cleaned_data
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, f"{saved} is saved.")
                return redirect("devices:supplies")
    context = {
        "form": form,
        "supply": found,
        "incidents": selectors.incidents(found)[:SHOWN] if found else (),
    }
    return render(request, "devices/supply.html", context, status=status)


@require_POST
@requires(Can.DEVICE_WRITE)
def supply_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget it."""
    found = services.get(pk)
    services.delete_supply(supply=found, actor=actor(request), request=request)
    messages.success(request, f"{found.name} is forgotten; incidents of it keep its name.")
    return redirect("devices:supplies")


@require_http_methods(["GET", "POST"])
@requires(Can.DEVICE_WRITE)
def device_relations(request: HttpRequest, pk: int) -> HttpResponse:
    """What a machine shares, and which others stand in for it."""
    machine = twin_selectors.get(pk)
    known = selectors.of(machine)
    initial = {"supplies": [one for one, _ in known.supplies], "spares": known.spares}
    form = RelationsForm(
        request.POST if request.method == "POST" else None, device=machine, initial=initial
    )
    if request.method == "POST" and form.is_valid():
        try:
            services.set_relations(
                device=machine, actor=actor(request), request=request, **form.cleaned_data
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, "Saved.")
            return redirect("devices:device", pk=pk)
    context = {"form": form, "device": machine, "relations": known}
    status = 400 if form.is_bound else 200
    return render(request, "devices/device_relations.html", context, status=status)
