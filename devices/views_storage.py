"""The page of what is kept of readings: how much there is, the policy, its dry run."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can, may
from devices.forms_storage import ApplyForm, MonthsForm, RetentionForm, months_of
from devices.models import RetentionPolicy
from devices.selectors import retention as selectors
from devices.selectors import storage as storage_selectors
from devices.services import retention as services
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from .views import actor

SHOWN = 50


def _page(
    request: HttpRequest,
    *,
    tried: MonthsForm | None = None,
    asked: RetentionPolicy | None = None,
    settle: RetentionForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """The page; `asked` is a policy that is tried, and `settle` the form that settles it."""
    policy = selectors.policy_now()
    context = {
        "tried": tried or MonthsForm(initial=policy.lengths),
        "asked": asked,
        "form": settle,
        "policy": policy,
        "plan": storage_selectors.plan(asked or policy, timezone.now()),
        "months": storage_selectors.months(),
        "tables": storage_selectors.tables(),
        "history": selectors.history()[:SHOWN],
        "runs": selectors.runs()[:SHOWN],
        "may_settle": may(request.user, Can.STORAGE_ADMIN),
    }
    return render(request, "devices/storage.html", context, status=status)


@require_GET
@requires(Can.DEVICE_READ)
def storage(request: HttpRequest) -> HttpResponse:
    """What is kept; with `?try=1&raw_months=…` the dry run of a policy that isn't settled."""
    if not request.GET.get("try"):
        return _page(request)
    tried = MonthsForm(request.GET)
    if not tried.is_valid():
        return _page(request, tried=tried, status=400)
    lengths = months_of(tried.cleaned_data)
    try:
        services.check_months(*lengths.values())
    except DomainError as error:
        tried.add_error(None, error.message)
        return _page(request, tried=tried, status=status_of(error))
    return _page(
        request,
        tried=tried,
        asked=RetentionPolicy(number=0, **lengths),
        settle=RetentionForm(initial={**lengths, "seen": selectors.policy_now().number}),
    )


@require_POST
@requires(Can.STORAGE_ADMIN)
def storage_settle(request: HttpRequest) -> HttpResponse:
    """Settle a policy; nothing is deleted by that."""
    form = RetentionForm(request.POST)
    good = form.is_valid()
    data = form.cleaned_data
    again = partial(
        _page,
        request,
        tried=MonthsForm(initial=months_of(data)),
        asked=RetentionPolicy(number=0, **months_of(data)),
        settle=form,
    )
    if not good:
        return again(status=400)
    try:
        services.settle(
            user=actor(request),
            reason=data["reason"],
            seen=data["seen"],
            now=timezone.now(),
            request=request,
            **months_of(data),
        )
    except DomainError as error:
        form.add_error(None, error.message)
        return again(status=status_of(error))
    messages.success(request, "The policy is settled. Nothing is deleted until it is applied.")
    return redirect("devices:storage")


@require_POST
@requires(Can.STORAGE_ADMIN)
def storage_apply(request: HttpRequest) -> HttpResponse:
    """Have a worker delete what the settled policy doesn't keep."""
    form = ApplyForm(request.POST)
    if not form.is_valid():
        messages.error(request, "Look at the dry run first.")
        return redirect("devices:storage")
    try:
        services.begin(
            user=actor(request), seen=form.cleaned_data["seen"], now=timezone.now(), request=request
        )
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "A worker deletes now; how far it is stands under Deletions.")
    return redirect("devices:storage")
