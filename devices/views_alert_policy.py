"""The page of when alerts escalate and what is one incident."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods

from accounts.decorators import requires
from accounts.permissions import Can, may
from devices.models.alert_policy import LONGEST_ESCALATE, LONGEST_GROUP
from devices.selectors import alert_policy as selectors
from devices.services import alert_policy as services
from twinhealth.errors import DomainError, NotPermittedError
from twinhealth.web.errors import status_of

from .views import actor

SHOWN = 50


class PolicyForm(forms.Form):
    """Shapes only."""

    escalate_minutes = forms.IntegerField(
        label="Escalate after, minutes",
        min_value=1,
        max_value=LONGEST_ESCALATE,
        help_text="An act alert that nobody acknowledged for so long is told of once more.",
    )
    group_minutes = forms.IntegerField(
        label="One incident within, minutes",
        min_value=1,
        max_value=LONGEST_GROUP,
        help_text="An alert joins the incident of its supply within so many of its newest alert.",
    )
    reason = forms.CharField(
        label="Why", max_length=300, error_messages={"required": "Say why in a few words."}
    )
    seen = forms.IntegerField(widget=forms.HiddenInput, min_value=0, max_value=2**31 - 1)


@require_http_methods(["GET", "POST"])
@requires(Can.ALERT_READ)
def alert_policy(request: HttpRequest) -> HttpResponse:
    """What holds, who settled it and why; admins settle another one."""
    policy, status = selectors.policy_now(), 200
    initial = {name: getattr(policy, name) for name in ("escalate_minutes", "group_minutes")}
    form = PolicyForm(
        request.POST if request.method == "POST" else None,
        initial={**initial, "seen": policy.number},
    )
    may_settle = may(request.user, Can.ALERT_POLICY)
    if request.method == "POST":
        if not may_settle:
            raise NotPermittedError("not_permitted", "Admins settle the policy.")
        status = 400
        if form.is_valid():
            try:
                services.settle(
                    user=actor(request), now=timezone.now(), request=request, **form.cleaned_data
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, "Settled: it holds from now on, for open alerts too.")
                return redirect("devices:alert-policy")
    context = {
        "policy": policy,
        "form": form,
        "may_settle": may_settle,
        "history": selectors.history()[:SHOWN],
    }
    return render(request, "devices/alert_policy.html", context, status=status)
