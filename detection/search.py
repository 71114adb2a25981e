"""The top bar's search: patients by number, machines by serial or name, orders by number.

It stands here because this is the lowest room that sees patients and machines alike.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from accounts.decorators import requires
from accounts.permissions import Can, may
from accounts.services import audit
from devices.models import Device, WorkOrder
from patients.models import Patient

PER_KIND = 10
_ORDER = re.compile(r"(?:wo-?\s*)?(\d{1,18})", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Hit:
    """One line of the answer."""

    url: str
    label: str
    note: str
    synthetic: bool
    exact: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Hits of one kind; `more` when not all are shown."""

    title: str
    icon: str
    hits: list[Hit]
    more: bool


@requires(Can.SIGNED_IN)
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What the role may know of; a single exact hit opens at once."""
    q = request.GET.get("q", "").replace("\0", "").strip()[:64]
    groups: list[Group] = []
    if q:
        if may(request.user, Can.PATIENT_READ):
            groups.append(_patients(request, q))
        if may(request.user, Can.DEVICE_HEALTH):
            groups.append(_machines(q))
        if may(request.user, Can.MAINTENANCE_READ):
            groups.append(_orders(q))
    hits = [hit for group in groups for hit in group.hits]
    exact = [hit for hit in hits if hit.exact]
    if len(exact) == 1:
        return redirect(exact[0].url)
    context = {"q": q, "groups": [group for group in groups if group.hits], "count": len(hits)}
    return render(request, "detection/search.html", context)


def _patients(request: HttpRequest, q: str) -> Group:
    found = list(
        Patient.objects.filter(identifier__istartswith=q).order_by("identifier", "issuer")[
            : PER_KIND + 1
        ]
    )
    shown = found[:PER_KIND]
    if shown:  # what was typed stays out: it can be a name
        audit.record(
            actor=request.user,  # type: ignore[arg-type]
            verb="searched",
            obj=Patient,
            request=request,
            detail={"patients": [patient.pk for patient in shown]},
        )
    hits = [
        Hit(
            url=reverse("patients:patient", args=[patient.pk]),
            label=patient.identifier,
            note=patient.name,
            synthetic=patient.is_synthetic,
            exact=patient.identifier.casefold() == q.casefold(),
        )
        for patient in shown
    ]
    return Group("Patients", "people", hits, more=len(found) > PER_KIND)


def _machines(q: str) -> Group:
    found = list(
        Device.objects.filter(Q(serial__icontains=q) | Q(name__icontains=q)).order_by("name", "pk")[
            : PER_KIND + 1
        ]
    )
    hits = [
        Hit(
            url=reverse("devices:device", args=[device.pk]),
            label=device.name,
            note=f"{device.serial} {device.location}".strip(),
            synthetic=device.is_synthetic,
            exact=q.casefold() in {device.serial.casefold(), device.name.casefold()},
        )
        for device in found[:PER_KIND]
    ]
    return Group("Machines", "machine", hits, more=len(found) > PER_KIND)


def _orders(q: str) -> Group:
    number = _ORDER.fullmatch(q)
    found = WorkOrder.objects.filter(pk=int(number[1])).select_related("device") if number else []
    hits = [
        Hit(
            url=reverse("devices:order", args=[order.pk]),
            label=f"WO-{order.pk}",
            note=f"{order.title}, {order.device.name}",
            synthetic=order.is_synthetic,
            # a bare number can also be meant for a serial
            exact=not q.isdigit(),
        )
        for order in found
    ]
    return Group("Work orders", "wrench", hits, more=False)
