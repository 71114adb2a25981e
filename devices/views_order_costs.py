"""Labour and cost of a work order."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from twinhealth.errors import DomainError

from . import selectors_maintenance as selectors
from .models import WorkOrder
from .services import order_costs
from .views_maintenance import actor


class LabourForm(forms.Form):
    """Who, how long, what for."""

    person = forms.ModelChoiceField(
        selectors.workers(), required=False, label="Who", empty_label="me"
    )
    minutes = forms.IntegerField(min_value=1, max_value=order_costs.MAX_MINUTES, label="Minutes")
    note = forms.CharField(max_length=300, required=False, label="What for")


class CostForm(forms.Form):
    """What for, how much."""

    what = forms.CharField(max_length=300, label="What for")
    amount = forms.DecimalField(max_digits=12, decimal_places=2, label="Amount")


def facts(order: WorkOrder) -> dict[str, Any]:
    """What the order's page shows of it."""
    labour, costs = list(order.labour.all()), list(order.costs.all())
    return {
        "labour": labour,
        "costs": costs,
        "minutes": sum(row.minutes for row in labour),
        "amount": sum(row.amount for row in costs),
        "labour_form": LabourForm(auto_id="id_labour_%s"),
        "cost_form": CostForm(auto_id="id_cost_%s"),
    }


def _book(request: HttpRequest, pk: int, form: forms.Form, service: Any) -> HttpResponse:
    order = selectors.order(pk)
    if not form.is_valid():
        field, found = next(iter(form.errors.items()))
        label = form.fields[field].label if field in form.fields else ""
        messages.error(request, f"{label}: {found[0]}")
        return redirect("devices:order", pk)
    try:
        service(order=order, actor=actor(request), request=request, **form.cleaned_data)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Booked.")
    return redirect("devices:order", pk)


@requires(Can.ORDER_WORK)
@require_POST
def order_labour(request: HttpRequest, pk: int) -> HttpResponse:
    """Minutes of a person."""
    return _book(request, pk, LabourForm(request.POST), order_costs.add_labour)


@requires(Can.ORDER_WORK)
@require_POST
def order_cost(request: HttpRequest, pk: int) -> HttpResponse:
    """Money."""
    return _book(request, pk, CostForm(request.POST), order_costs.add_cost)
