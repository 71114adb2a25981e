"""The page of one check: what a rule says of one machine, with everything behind it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can, may
from devices.rule_kinds.spec import KINDS
from devices.rule_kinds.words import sentence
from devices.selectors import checks as selectors
from devices.selectors import rules as rule_selectors
from devices.selectors import twin as twin_selectors
from devices.spans import RANGES

DEFAULT_RANGE = "30d"


@require_GET
@requires(Can.DEVICE_READ)
def check(request: HttpRequest, pk: int, rule_id: int) -> HttpResponse:
    """Value, baseline, since, n, the rule, a chart, and the alerts it opened here."""
    now = timezone.now()
    device, rule = twin_selectors.get(pk), rule_selectors.get(rule_id)
    found = selectors.check_of(device, rule, now)
    alerts = rule_selectors.alerts_of(rule, device.pk)
    chosen = request.GET.get("range", "")
    chosen = chosen if chosen in RANGES else DEFAULT_RANGE
    context: dict[str, Any] = {
        "device": device,
        "rule": rule,
        "check": found,
        "kind": KINDS[rule.kind],
        "sentence": sentence(rule_selectors.spec_of_rule(rule)),
        "alerts": alerts,
        "ranges": list(RANGES),
        "range": chosen,
        "may_edit": may(request.user, Can.RULE_EDIT),
        "now": now,
    }
    if rule.metric is not None:
        context["charts"] = selectors.chart(
            device, rule, found, alerts, end=now, span=RANGES.get(chosen, timedelta(days=30))
        )
    return render(request, "devices/check.html", context)
