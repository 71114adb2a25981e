"""Pages of how people are told: one's own settings, who gets what, the house's policy."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods

from accounts.decorators import requires
from accounts.permissions import Can
from devices.notice_kinds import Way, kinds
from devices.services.channels import has_mail_server
from devices.views import actor
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from . import people, selectors
from .forms import WEEKDAYS, PolicyForm, SettingsForm
from .services import choosing, policies
from .spans import policies as policy_history
from .spans import policy_now

PAGE = 50
PREVIEWED = 200  # lines


@require_http_methods(["GET", "POST"])
@requires(Can.MAINTENANCE_READ)
def settings(request: HttpRequest) -> HttpResponse:
    """How I am told; with `preview`, what that would have been in the last week."""
    user, status = actor(request), 200
    form = SettingsForm(
        request.POST if request.method == "POST" else None, person=people.person(user)
    )
    context: dict[str, Any] = {"form": form, "mail": has_mail_server()}
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                if "preview" in request.POST:
                    found = selectors.preview(
                        choosing.checked(user=user, **form.given), now=timezone.now()
                    )
                    context |= {"preview": found[:PREVIEWED], "count": len(found), "asked": True}
                    status = 200
                else:
                    choosing.choose(user=user, request=request, **form.given)
                    messages.success(request, "Saved: it holds from the next notice on.")
                    return redirect("notices:settings")
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
    return render(request, "notices/settings.html", context, status=status)


@require_GET
@requires(Can.MAINTENANCE_PLAN)
def who(request: HttpRequest) -> HttpResponse:
    """Who is told of what, and how."""
    found = list(people.everybody().by_pk.values())
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    all_kinds = kinds()
    days = dict(WEEKDAYS)
    rows = [
        {
            "person": each,
            "ways": [
                (way, [kind.label for kind in all_kinds if each.way(kind) == way]) for way in Way
            ],
            "quiet_days": ", ".join(days[day][:3] for day in each.settings.quiet_days),
        }
        for each in page
    ]
    context = {"page_obj": page, "rows": rows, "ways": list(Way), "mail": has_mail_server()}
    return render(request, "notices/who.html", context)


@require_http_methods(["GET", "POST"])
@requires(Can.MAINTENANCE_PLAN)
def policy(request: HttpRequest) -> HttpResponse:
    """After how many days an order escalates, and is too long on hold."""
    now_holds, status = policy_now(), 200
    initial = {name: getattr(now_holds, name) for name in ("escalate_days", "hold_days")}
    form = PolicyForm(
        request.POST if request.method == "POST" else None,
        initial={**initial, "seen": now_holds.number},
    )
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                policies.settle(
                    user=actor(request), now=timezone.now(), request=request, **form.cleaned_data
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, "Settled: it holds from the next look on.")
                return redirect("notices:policy")
    context = {"policy": now_holds, "form": form, "history": policy_history()[:PAGE]}
    return render(request, "notices/policy.html", context, status=status)
