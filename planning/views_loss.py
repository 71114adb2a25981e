"""A machine lost today: who takes its exams over, hour by hour."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from devices.selectors import twin

from .selectors import what_if as selectors

BAR = 100.0  # width of the longest bar


@requires(Can.MAINTENANCE_READ)
@require_safe
def loss(request: HttpRequest, pk: int) -> HttpResponse:
    """From now until it returns."""
    device = twin.get(pk)
    days = selectors.days_asked(request.GET.get("days", ""))
    found = selectors.machine_loss(device, days=days, now=timezone.now())
    top = max((each.wanted for each in found.hours), default=0.0) or 1.0
    context: dict[str, Any] = {
        "loss": found,
        "device": device,
        "days": days,
        "days_offered": (1, 2, 3, 5, 7, 14),
        "table": [
            (
                day,
                [
                    (each, (each.wanted - each.left) * BAR / top, each.left * BAR / top)
                    for each in hours
                ],
            )
            for day, hours in found.days
        ],
        "now": timezone.now(),
    }
    return render(request, "planning/loss.html", context)
