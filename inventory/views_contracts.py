"""Pages of contracts and warranties."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from devices.selectors import twin

from . import selectors
from .forms import ContractForm, WarrantyForm
from .models import Contract, Warranty
from .services import contracts
from .views_base import PAGE, actor, form_page, rights, step


@requires(Can.MAINTENANCE_READ)
@require_safe
def contract_list(request: HttpRequest) -> HttpResponse:
    """What ends soon, and all contracts."""
    today = timezone.localdate()
    ending, warranties = selectors.ending(today)
    show = request.GET.get("show", "")
    found = selectors.contracts()
    if show == "over":
        found = found.filter(ends_on__lt=today)
    elif show != "all":
        found = found.filter(ends_on__gte=today)
    for row in ending:
        row.notice_by = selectors.notice_by(row)  # type: ignore[attr-defined]
    context = {
        "page_obj": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "ending": ending,
        "warranties": warranties,
        "show": show,
        "shows": {"": "that hold or begin", "over": "that ended", "all": "all"},
        "days": selectors.SOON_DAYS,
        "today": today,
        **rights(request),
    }
    return render(request, "inventory/contracts.html", context)


@requires(Can.MAINTENANCE_READ)
@require_safe
def contract(request: HttpRequest, pk: int) -> HttpResponse:
    """One contract."""
    found = selectors.one(selectors.contracts(), pk, "contract_not_found")
    context = {
        "contract": found,
        "notice_by": selectors.notice_by(found),
        "today": timezone.localdate(),
        **rights(request),
    }
    return render(request, "inventory/contract.html", context)


def _contract_form(request: HttpRequest, found: Contract | None) -> HttpResponse:
    initial: dict[str, Any] = {}
    if found is not None:
        initial = {name: getattr(found, name) for name in ContractForm.base_fields}
        initial |= {"devices": found.devices.all(), "device_models": found.device_models.all()}
    form = ContractForm(request.POST or None, initial=initial)
    return form_page(
        request,
        form,
        lambda data: contracts.save(actor=actor(request), contract=found, request=request, **data),
        heading=f"Edit contract {found}" if found else "New contract",
        crumbs=[
            (reverse("devices:maintenance"), "Maintenance"),
            (reverse("inventory:contracts"), "Contracts"),
        ],
        done=lambda row: (reverse("inventory:contract", args=[row.pk]), f"Saved: {row}."),
    )


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "POST"])
def contract_new(request: HttpRequest) -> HttpResponse:
    """Add one."""
    return _contract_form(request, None)


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "POST"])
def contract_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one."""
    found = selectors.one(Contract.objects.select_related("vendor"), pk, "contract_not_found")
    return _contract_form(request, found)


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "POST"])
def warranty_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Of a machine, or of one of its parts."""
    device = twin.get(pk)
    form = WarrantyForm(request.POST or None, device=device)
    where = reverse("devices:device", args=[pk])
    return form_page(
        request,
        form,
        lambda data: contracts.add_warranty(
            actor=actor(request), device=device, request=request, **data
        ),
        heading=f"Warranty of {device}",
        crumbs=[(where, str(device))],
        done=lambda row: (where, f"Saved: {row}."),
    )


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def warranty_withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """It was entered by mistake."""
    found = selectors.one(Warranty.objects.all(), pk, "warranty_not_found")
    return step(
        request,
        lambda: contracts.withdraw_warranty(
            warranty=found,
            actor=actor(request),
            reason=request.POST.get("reason", "")[:1_000],
            request=request,
        ),
        said="Withdrawn.",
        default="devices:device",
        pk=found.device_id,
    )
