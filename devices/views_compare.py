"""Two machines side by side, or one machine against its own earlier span."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can
from devices import spans
from devices.selectors import compare as compare_selectors


@require_GET
@requires(Can.DEVICE_READ)
def compare(request: HttpRequest) -> HttpResponse:
    """`?a=`, `?b=` (id, serial or part of a name), or `?a=&against=earlier`; span as the twin's."""
    now, zone = timezone.now(), timezone.get_current_timezone()
    span = spans.asked(request.GET.dict(), now=now, zone=zone)
    earlier = request.GET.get("against") == "earlier"
    asked = {name: request.GET.get(name, "") for name in ("a", "b")}
    found = {name: compare_selectors.find(text) for name, text in asked.items()}
    a, b = (found[name][0] if len(found[name]) == 1 else None for name in ("a", "b"))
    context: dict[str, Any] = {
        "span": span,
        "ranges": list(spans.RANGES),
        "earlier": earlier,
        "asked": asked,
        "choices": compare_selectors.choices(),
        "sides": [
            {
                "name": "a",
                "label": "Machine A",
                "text": asked["a"],
                "found": found["a"],
                "device": a,
            },
            {
                "name": "b",
                "label": "Machine B",
                "text": asked["b"],
                "found": found["b"],
                "device": b,
            },
        ],
        "now": now,
        "now_text": timezone.localtime(now).strftime("%Y-%m-%dT%H:%M"),
    }
    if a and earlier:
        b, span_b = a, span.earlier()
    else:
        span_b = span
    if a and b:
        made = compare_selectors.compare(a, b, span_a=span, span_b=span_b, now=now)
        context |= {"compared": made, "both": [made.a, made.b], "data": made.data}
    return render(request, "devices/compare.html", context)
