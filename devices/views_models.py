"""Pages of makes and models: their metrics, machines and the manufacturer's plan."""

from __future__ import annotations

from django import forms
from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods

from accounts.decorators import requires
from accounts.permissions import Can
from devices.models import ComponentKind, DeviceModel
from devices.services import models as services
from twinhealth.errors import DomainError

from .views import actor


class PlanOfMakerForm(forms.Form):
    """What the manufacturer wants done."""

    months = forms.IntegerField(
        required=False, min_value=1, max_value=services.MAX_MONTHS, label="Every so many months"
    )
    source = forms.CharField(max_length=300, required=False, label="Document that says so")


class MetricForm(forms.Form):
    """A metric of a model."""

    key = forms.CharField(max_length=64, help_text="As machines send it: tube_temperature.")
    label = forms.CharField(max_length=128)
    unit = forms.CharField(max_length=32, help_text="A UCUM code: kV, Cel, 1.")
    plausible_low = forms.FloatField(required=False, label="Below this it can't be real")
    plausible_high = forms.FloatField(required=False, label="Above this it can't be real")
    max_age_days = forms.FloatField(initial=7, label="Days after which it says nothing of now")
    counter_of = forms.ChoiceField(
        choices=[("", "no counter"), *ComponentKind.choices],
        required=False,
        label="Counts the use of",
    )


@require_GET
@requires(Can.DEVICE_READ)
def models(request: HttpRequest) -> HttpResponse:
    """All makes and models."""
    listed = DeviceModel.objects.annotate(
        machines=Count("devices", distinct=True), measured=Count("metrics", distinct=True)
    ).order_by("manufacturer", "name")
    return render(request, "devices/models.html", {"models": listed})


@require_http_methods(["GET", "POST"])
@requires(Can.DEVICE_WRITE)
def model(request: HttpRequest, pk: int) -> HttpResponse:
    """One: its metrics and machines; POST sets the manufacturer's plan."""
    found = services.get(pk)
    initial = {"months": found.maintenance_months, "source": found.maintenance_source}
    form = PlanOfMakerForm(request.POST or None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            services.set_plan(
                model=found, actor=actor(request), request=request, **form.cleaned_data
            )
        except DomainError as error:
            field = error.extra.get("field")
            form.add_error(field if field in form.fields else None, error.message)
        else:
            messages.success(request, "The manufacturer's plan is saved.")
            return redirect("devices:model", pk=pk)
    context = {
        "model": found,
        "form": form,
        "metrics": found.metrics.order_by("label"),
        "machines": found.devices.order_by("name"),
    }
    status = 400 if form.is_bound else 200
    return render(request, "devices/model.html", context, status=status)


@require_http_methods(["GET", "POST"])
@requires(Can.DEVICE_WRITE)
def metric_form(request: HttpRequest, pk: int, metric_id: int | None = None) -> HttpResponse:
    """Add a metric, or change one."""
    found = services.get(pk)
    metric = None
    if metric_id is not None:
        metric = services.get_metric(model=found, metric_id=metric_id)
    initial = {}
    if metric is not None:
        names = ("key", "label", "unit", "plausible_low", "plausible_high", "counter_of")
        initial = {name: getattr(metric, name) for name in names}
        initial["max_age_days"] = metric.max_age / 86_400
    form = MetricForm(request.POST or None, initial=initial)
    if metric is not None:
        form.fields["key"].disabled = True
    if request.method == "POST" and form.is_valid():
        try:
            services.save_metric(
                model=found,
                metric=metric,
                changes=form.cleaned_data,
                actor=actor(request),
                request=request,
            )
        except DomainError as error:
            field = error.extra.get("field")
            form.add_error(field if field in form.fields else None, error.message)
        else:
            messages.success(request, "The metric is saved.")
            return redirect("devices:model", pk=pk)
    context = {"model": found, "form": form, "metric": metric}
    status = 400 if form.is_bound else 200
    return render(request, "devices/metric_form.html", context, status=status)
