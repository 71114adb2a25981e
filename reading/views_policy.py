"""The page of the reading policy."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from accounts.decorators import requires
from accounts.permissions import Can
from detection.page_request import PageRequest
from detection.priority import in_words
from reading import selectors_policy as selectors
from reading.forms_policy import PolicyForm
from reading.services import policy as services
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

SHOWN = 50


@require_http_methods(["GET", "POST"])
@requires(Can.USER_ADMIN)
def reading_policy(request: PageRequest) -> HttpResponse:
    """What holds, who settled it and why, and what a change would do."""
    status = 200
    if request.method == "POST":
        form, status = PolicyForm(request.POST), 400
        if form.is_valid():
            try:
                services.settle(user=request.user, request=request, **form.cleaned_data)
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, "The policy holds from now on.")
                return redirect("reading:reading-policy")
    policy = selectors.policy_now()
    if request.method == "GET":
        form = PolicyForm(
            initial={
                "ceiling_minutes": policy.ceiling_minutes,
                "twice": policy.twice,
                "twice_percent": policy.twice_percent,
                "seen": policy.number,
            }
        )
    waiting, past = selectors.waiting_past(policy.ceiling)
    context = {
        "form": form,
        "policy": policy,
        "ceiling": in_words(policy.ceiling),
        "waiting": waiting,
        "past": past,
        "simulated": selectors.SIMULATED,
        "history": selectors.history()[:SHOWN],
    }
    return render(request, "reading/policy.html", context, status=status)
