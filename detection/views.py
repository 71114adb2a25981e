"""The fragments of `detection` that other rooms' pages hold."""

from __future__ import annotations

from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can, may
from accounts.services import audit
from detection import selectors
from detection.page_request import PageRequest
from detection.selectors_gate import gate_counts, gate_text
from devices import moments
from devices.models import Device
from patients.models import Patient

FILMS_ON_A_PATIENT = 60
IMAGES_ON_A_DEVICE = 25


@require_GET
@requires(Can.IMAGE_READ)
def film_state(request: PageRequest, image_id: int) -> HttpResponse:
    """Badge of one film; it asks again by itself until the run has ended."""
    state = selectors.film_state(image_id, user=request.user)
    return render(request, "detection/parts/state.html", {"state": state})


@require_GET
@requires(Can.PATIENT_READ)
def patient_films(request: PageRequest, patient_id: int) -> HttpResponse:
    """Lane of films on the patient's page."""
    patient = get_object_or_404(Patient, pk=patient_id)
    films = selectors.films_of_patient(patient.pk, user=request.user, limit=FILMS_ON_A_PATIENT + 1)
    audit.record(
        actor=request.user,
        verb="viewed",
        obj=patient,
        patient_id=patient.pk,
        request=request,
        detail={"what": "films"},
    )
    context = {
        "films": films[:FILMS_ON_A_PATIENT],
        "more": len(films) > FILMS_ON_A_PATIENT,
        "pixels": may(request.user, Can.IMAGE_PIXELS),
    }
    return render(request, "detection/parts/patient_films.html", context)


@require_GET
@requires(Can.DEVICE_READ)
def device_images(request: PageRequest, device_id: int) -> HttpResponse:
    """A machine's images for its engineer: no patient, no pixels; `?at=` for the gate's counts."""
    now = timezone.now()
    device = get_object_or_404(Device, pk=device_id)
    zone = timezone.get_current_timezone()
    at = moments.past(request.GET.get("at", ""), now=now, zone=zone)
    items = Paginator(selectors.images_of_device(device.pk), IMAGES_ON_A_DEVICE)
    page = items.get_page(request.GET.get("page"))
    for item in page:
        item.gate_text = gate_text(item.run)  # type: ignore[attr-defined]
    context = {
        "device": device,
        "page_obj": page,
        "films": may(request.user, Can.FINDING_REVIEW),
        "gate": gate_counts(device_id=device.pk, at=at),
        "at": at,
        "as_of": now,
    }
    return render(request, "detection/parts/device_images.html", context)
