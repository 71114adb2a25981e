"""Pages of machines: one twin, registering. The fleet stands in `views_fleet`."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, cast

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import Can, may
from devices import journal_words, moments, selectors_plans, spans
from devices.forms import ConfigForm, DeviceForm, LifecycleForm, NewDeviceForm
from devices.forms_keys import OVERLAP_HOURS, NewKeyForm
from devices.models import AlertState, DeviceModel
from devices.selectors import components as component_selectors
from devices.selectors import degraded as degraded_selectors
from devices.selectors import lanes as lane_selectors
from devices.selectors import relations as relation_selectors
from devices.selectors import risk as risk_selectors
from devices.selectors import twin as twin_selectors
from devices.services import alerts as alert_services
from devices.services import registry
from twinhealth.errors import DomainError

# how far back the slider of past moments reaches, unless a moment before is looked at
SLIDER = timedelta(days=90)


def actor(request: HttpRequest) -> User:
    """The signed-in person; the permission came first."""
    return cast("User", request.user)


def _asked_moment(request: HttpRequest, now: datetime) -> datetime | None:
    zone = timezone.get_current_timezone()
    return moments.past(request.GET.get("at", ""), now=now, zone=zone)


def _slider(at: datetime | None, now: datetime) -> dict[str, int]:
    """Hours since 1970 between which a past moment is chosen, and the one looked at."""
    first = min(now - SLIDER, at - timedelta(days=1)) if at else now - SLIDER
    hours = {"first": first, "last": now, "value": at or now}
    return {name: int(moment.timestamp() // 3600) for name, moment in hours.items()}


@require_GET
@requires(Can.DEVICE_HEALTH)
def device(request: HttpRequest, pk: int) -> HttpResponse:
    """What is wrong, since when, what changed.

    `?at=` shows a past moment; `?range=`, or `?from=` and `?to=`, the span of the time axis.
    """
    now = timezone.now()
    at = _asked_moment(request, now)
    machine = twin_selectors.get(pk)
    twin = twin_selectors.twin(machine, at=at, now=now)
    context: dict[str, Any] = {"twin": twin, "device": machine, "at": at, "now": now}
    context["degraded"] = degraded_selectors.covering(machine.pk, at=at, now=now)
    if not may(request.user, Can.DEVICE_READ):
        return render(request, "devices/device_health.html", context)
    zone = timezone.get_current_timezone()
    span = spans.asked(request.GET.dict(), now=now, at=at, zone=zone)
    journal = twin_selectors.journal(machine, at)
    charts = twin_selectors.charts(
        machine,
        end=span.end,
        span=span.length,
        journal_rows=journal,
        health=twin.health,
    )
    listed = twin_selectors.alerts(machine, at)
    context |= {
        "span": span,
        "ranges": list(spans.RANGES),
        "slider": _slider(at, now),
        "usual_url": reverse("api-device-baseline", args=[pk]),
        "lanes": lane_selectors.lanes(machine, span),
        "charts": charts,
        "alerts": listed,
        "open_then": set(twin.state["open_alerts"]),
        "open_count": sum(a.state == AlertState.OPEN for a in listed),
        "journal": [(e, journal_words.sentence(e.kind, e.payload)) for e in journal],
        "config_form": ConfigForm(initial={"config": ConfigForm.text(machine.desired_config)}),
        "at_text": timezone.localtime(at).strftime("%Y-%m-%dT%H:%M") if at else "",
        "now_text": timezone.localtime(now).strftime("%Y-%m-%dT%H:%M"),
    }
    return render(request, "devices/device.html", context)


@require_GET
@requires(Can.DEVICE_READ)
def device_sections(request: HttpRequest, pk: int) -> HttpResponse:
    """What stands below on the twin's page: risk, parts, maintenance, other rooms' sections, keys.

    Asked for once the page is there, so that state and chart don't wait for it.
    """
    now = timezone.now()
    at = _asked_moment(request, now)
    machine = twin_selectors.get(pk)
    context: dict[str, Any] = {
        "device": machine,
        "at": at,
        "risk": risk_selectors.risk_of(machine, at=at or now),
        "parts": component_selectors.parts(machine, at=at, now=now),
    }
    if at is None:
        context |= {
            "maintenance": selectors_plans.for_device(machine),
            "relations": relation_selectors.of(machine),
            "keys": twin_selectors.keys(machine, now),
            "key_form": NewKeyForm(auto_id="key_%s"),
            "overlaps": OVERLAP_HOURS,
        }
    else:
        context["twin"] = {"state": twin_selectors.state_at(machine, at)}
    return render(request, "devices/parts/sections.html", context)


def chosen_model(form: DeviceForm, request: HttpRequest) -> DeviceModel:
    """The model of a valid form; a new make is described first."""
    data = form.cleaned_data
    if data["model"]:
        return cast("DeviceModel", data["model"])
    return registry.ensure_model(
        manufacturer=data["manufacturer"],
        name=data["model_name"],
        modality=data["modality"],
        actor=actor(request),
        request=request,
    )


@requires(Can.DEVICE_WRITE)
def device_new(request: HttpRequest) -> HttpResponse:
    """Register a machine by hand."""
    form = NewDeviceForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            with transaction.atomic():
                made = registry.register_device(
                    serial=data["serial"],
                    name=data["name"],
                    location=data["location"],
                    model=chosen_model(form, request),
                    actor=actor(request),
                    request=request,
                )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"{made} is registered.")
            return redirect("devices:device", pk=made.pk)
    status = 400 if form.is_bound else 200
    return render(request, "devices/device_new.html", {"form": form}, status=status)


@require_POST
@requires(Can.DEVICE_WRITE)
def device_config(request: HttpRequest, pk: int) -> HttpResponse:
    """Say how the machine should be set."""
    machine = twin_selectors.get(pk)
    form = ConfigForm(request.POST)
    if not form.is_valid():
        for error in form.errors.get("config", []):
            messages.error(request, f"Nothing was changed. {error}")
    else:
        registry.set_desired_config(
            device=machine,
            config=form.cleaned_data["config"],
            actor=actor(request),
            request=request,
        )
        messages.success(request, "The wanted configuration is saved.")
    return redirect("devices:device", pk=pk)


@require_POST
@requires(Can.DEVICE_WRITE)
def device_lifecycle(request: HttpRequest, pk: int) -> HttpResponse:
    """Take the machine out of service or back in."""
    machine = twin_selectors.get(pk)
    form = LifecycleForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Nothing was changed: choose in service or out of service.")
        return redirect("devices:device", pk=pk)
    changed = registry.set_lifecycle(
        device=machine,
        lifecycle=form.cleaned_data["lifecycle"],
        reason=form.cleaned_data["reason"],
        actor=actor(request),
        request=request,
    )
    messages.success(request, f"{changed} is {changed.get_lifecycle_display()}.")
    return redirect("devices:device", pk=pk)


@require_POST
@requires(Can.ALERT_WORK)
def device_acknowledge(request: HttpRequest, pk: int) -> HttpResponse:
    """Acknowledge all open alerts of the machine."""
    done = alert_services.acknowledge_open(
        device=twin_selectors.get(pk), actor=actor(request), request=request
    )
    messages.success(request, f"Acknowledged: {len(done)}.")
    return redirect("devices:device", pk=pk)
