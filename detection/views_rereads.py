"""Fragments for the machine's page: what a mark would concern, how far its re-read lists are."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can
from detection import selectors_rereads as selectors
from detection.page_request import PageRequest
from devices import moments
from devices.models import Device
from twinhealth.errors import InvalidInputError


@require_GET
@requires(Can.REREAD_READ)
def device_rereads(request: PageRequest, device_id: int) -> HttpResponse:
    """Each of the machine's lists with its progress."""
    device = get_object_or_404(Device, pk=device_id)
    found = list(selectors.lists(device_id=device.pk))
    done = selectors.progress(found)
    rows = [(row, done[row.pk]) for row in found]
    return render(request, "detection/parts/device_rereads.html", {"rows": rows})


@require_GET
@requires(Can.REREAD_READ)
def degraded_preview(request: PageRequest, device_id: int) -> HttpResponse:
    """How many films a mark with these times would concern; it changes nothing."""
    device = get_object_or_404(Device, pk=device_id)
    zone = timezone.get_current_timezone()
    context: dict[str, object] = {"device": device}
    try:
        since, until = (
            moments.moment(text, zone=zone) if text else None
            for text in (request.GET.get(name, "").strip() for name in ("since", "until"))
        )
    except InvalidInputError as error:
        context["wrong"] = error.message
    else:
        if since is not None:
            context["concern"] = selectors.concern(device_id=device.pk, since=since, until=until)
    return render(request, "detection/parts/degraded_preview.html", context)
