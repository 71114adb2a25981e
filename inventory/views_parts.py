"""Pages of parts, their stock, and vendors."""

from __future__ import annotations

from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from devices import selectors_maintenance
from devices.models import DeviceModel

from . import selectors
from .forms import CountForm, ReceiptForm, StockPartForm, VendorForm
from .importing import parts as table
from .models import Part, StockMovement, Vendor
from .services import parts, stock, vendors
from .views_base import PAGE, actor, csv_answer, first_id, form_page, rights, step, valid

REORDER_HEADER = (
    "number", "name", "unit", "stock", "reorder_level", "order", "vendor", "phone", "email",
    "price",
)  # fmt: skip


def _crumbs(*more: tuple[str, str]) -> list[tuple[str, str]]:
    return [(reverse("devices:maintenance"), "Maintenance"), *more]


def part_crumbs() -> list[tuple[str, str]]:
    """The way to the list of parts."""
    return _crumbs((reverse("inventory:parts"), "Parts"))


def _chosen(request: HttpRequest) -> selectors.PartFilter:
    return selectors.PartFilter(
        q=request.GET.get("q", "").replace("\0", "")[:64],
        show=request.GET.get("show", ""),
        vendor=first_id(request.GET.get("vendor", "")),
        model=first_id(request.GET.get("model", "")),
        ordering=request.GET.get("ordering", ""),
    )


@requires(Can.MAINTENANCE_READ)
@require_safe
def part_list(request: HttpRequest) -> HttpResponse:
    """What there is of each."""
    chosen = _chosen(request)
    page = Paginator(selectors.part_table(chosen), PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "chosen": chosen,
        "low": selectors.to_reorder().count(),
        "vendors": Vendor.objects.order_by("name"),
        "models": DeviceModel.objects.order_by("manufacturer", "name"),
        "shows": {"": "kept", "low": "to reorder", "inactive": "no longer kept", "all": "all"},
        **rights(request),
    }
    return render(request, "inventory/parts.html", context)


@requires(Can.MAINTENANCE_READ)
@require_safe
def part_csv(request: HttpRequest) -> HttpResponseBase:
    """All parts, as the import takes them."""
    return csv_answer(table.HEADER, table.rows(), "parts")


@requires(Can.MAINTENANCE_READ)
@require_safe
def to_reorder(request: HttpRequest) -> HttpResponse:
    """What is at or below its level."""
    page = Paginator(selectors.to_reorder(), PAGE).get_page(request.GET.get("page"))
    return render(request, "inventory/to_reorder.html", {"page_obj": page, **rights(request)})


@requires(Can.MAINTENANCE_READ)
@require_safe
def to_reorder_csv(request: HttpRequest) -> HttpResponseBase:
    """The same for the buyer."""

    def rows() -> Any:
        for part in selectors.to_reorder().iterator(chunk_size=500):
            vendor = part.vendor
            yield [
                part.number, part.name, part.unit, part.stock, part.reorder_level,
                part.reorder_amount, *((vendor.name, vendor.phone, vendor.email) if vendor
                else ("", "", "")), part.price,
            ]  # fmt: skip

    return csv_answer(REORDER_HEADER, rows(), "to-reorder")


@requires(Can.MAINTENANCE_READ)
@require_safe
def part(request: HttpRequest, pk: int) -> HttpResponse:
    """One part, and every movement of it."""
    found = selectors.one(selectors.parts(), pk, "part_not_found")
    rows = selectors.movements().filter(part=found)
    page = Paginator(rows, PAGE).get_page(request.GET.get("page"))
    context = {
        "part": found,
        "page_obj": page,
        "receipt_form": ReceiptForm(auto_id="id_receipt_%s"),
        "count_form": CountForm(auto_id="id_count_%s"),
        **rights(request),
    }
    return render(request, "inventory/part.html", context)


def _part_form(request: HttpRequest, found: Part | None) -> HttpResponse:
    initial: dict[str, Any] = {}
    if found is not None:
        initial = {
            name: getattr(found, name) for name in StockPartForm.base_fields if name != "fits"
        }
        initial["fits"] = found.fits.all()
    form = StockPartForm(request.POST or None, initial=initial)
    return form_page(
        request,
        form,
        lambda data: parts.save(actor=actor(request), part=found, request=request, **data)[0],
        heading=f"Edit {found}" if found else "New part",
        crumbs=part_crumbs(),
        done=lambda row: (reverse("inventory:part", args=[row.pk]), f"Saved: {row}."),
    )


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "POST"])
def part_new(request: HttpRequest) -> HttpResponse:
    """Add one to the catalogue."""
    return _part_form(request, None)


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "POST"])
def part_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one; its stock, movements alone change."""
    return _part_form(request, selectors.one(selectors.parts(), pk, "part_not_found"))


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def part_receive(request: HttpRequest, pk: int) -> HttpResponse:
    """Parts came in."""
    found, form = selectors.one(selectors.parts(), pk, "part_not_found"), ReceiptForm(request.POST)
    if not valid(request, form):
        return redirect("inventory:part", pk)
    data = form.cleaned_data
    return step(
        request,
        lambda: stock.receive(part=found, actor=actor(request), request=request, **data),
        said=f"Received: {data['amount']} {found.unit}.",
        default="inventory:part",
        pk=pk,
    )


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def part_count(request: HttpRequest, pk: int) -> HttpResponse:
    """So many lie there."""
    found, form = selectors.one(selectors.parts(), pk, "part_not_found"), CountForm(request.POST)
    if not valid(request, form):
        return redirect("inventory:part", pk)
    return step(
        request,
        lambda: stock.count(part=found, actor=actor(request), request=request, **form.cleaned_data),
        said="Counted.",
        default="inventory:part",
        pk=pk,
    )


@requires(Can.ORDER_WORK)
@require_POST
def order_issue(request: HttpRequest, pk: int) -> HttpResponse:
    """Parts go to an order."""
    order = selectors_maintenance.order(pk)
    part_id = first_id(request.POST.get("part", ""))
    amount = first_id(request.POST.get("amount", "")) or 0
    found = selectors.one(selectors.parts(), part_id or 0, "part_not_found")
    return step(
        request,
        lambda: stock.issue(
            part=found, order=order, amount=amount, actor=actor(request), request=request
        ),
        said=f"Issued: {amount} {found.unit} {found}.",
        default="devices:order",
        pk=pk,
    )


@requires(Can.ORDER_WORK)
@require_POST
def movement_return(request: HttpRequest, pk: int) -> HttpResponse:
    """What an order didn't need comes back; the undo of an issue."""
    found = selectors.one(StockMovement.objects.all(), pk, "movement_not_found")
    amount = first_id(request.POST.get("amount", ""))
    do = lambda: stock.give_back(  # noqa: E731
        movement=found, amount=amount, actor=actor(request), request=request
    )
    if found.order_id is None:
        return step(request, do, said="", default="inventory:part", pk=found.part_id)
    return step(
        request, do, said="It is back in stock.", default="devices:order", pk=found.order_id
    )


@requires(Can.MAINTENANCE_READ)
@require_safe
def vendor_list(request: HttpRequest) -> HttpResponse:
    """Who sells and repairs."""
    page = Paginator(selectors.vendors(), PAGE).get_page(request.GET.get("page"))
    return render(request, "inventory/vendors.html", {"page_obj": page, **rights(request)})


def _vendor_form(request: HttpRequest, found: Vendor | None) -> HttpResponse:
    names = VendorForm.base_fields
    initial = {name: getattr(found, name) for name in names} if found else {}
    form = VendorForm(request.POST or None, initial=initial)
    return form_page(
        request,
        form,
        lambda data: vendors.save(actor=actor(request), vendor=found, request=request, **data),
        heading=f"Edit {found}" if found else "New vendor",
        crumbs=_crumbs((reverse("inventory:vendors"), "Vendors")),
        done=lambda row: (reverse("inventory:vendors"), f"Saved: {row}."),
    )


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "POST"])
def vendor_new(request: HttpRequest) -> HttpResponse:
    """Add one."""
    return _vendor_form(request, None)


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "POST"])
def vendor_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change one."""
    return _vendor_form(request, selectors.one(Vendor.objects.all(), pk, "vendor_not_found"))
