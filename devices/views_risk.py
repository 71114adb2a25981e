"""The page that says on what a machine's risk of failure rests."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can
from devices import moments, risk
from devices.selectors import risk as selectors
from devices.selectors import twin as twin_selectors


@require_GET
@requires(Can.DEVICE_READ)
def device_risk(request: HttpRequest, pk: int) -> HttpResponse:
    """Rung, prior, exposure and each row, now or as of a past moment."""
    now = timezone.now()
    zone = timezone.get_current_timezone()
    at = moments.past(request.GET.get("at", ""), now=now, zone=zone)
    device = twin_selectors.get(pk)
    found = selectors.risk_of(device, at=at or now)
    context = {
        "device": device,
        "at": at,
        "risk": found,
        "own": next((h for h in found.histories if h.device.pk == device.pk), None),
        "machines": sorted(found.histories, key=lambda h: -h.record.failures),
        "least": {"failures": risk.MIN_FAILURES, "years": risk.MIN_YEARS},
    }
    return render(request, "devices/risk.html", context)
