"""Pages of one maintenance plan."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from . import schedule
from . import selectors_plans as selectors
from .checklist_steps import as_line
from .forms_plans import NewPlanForm, PlanForm, PreviewForm, plan_initial
from .models import MaintenancePlan
from .models.maintenance import Timing
from .schedule_words import floating, sentence
from .selectors.meters import counts
from .selectors_maintenance import orders as order_rows
from .services import plans
from .views_maintenance import actor, dated, rights

ORDERS = 50
PREVIEW = 5


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def plan_new(request: HttpRequest) -> HttpResponse:
    """A plan for a machine (`?device=` chooses it)."""
    initial = {"device": request.GET.get("device"), "starts_on": timezone.localdate()}
    form = NewPlanForm(request.POST or None, initial=initial)
    if request.method != "POST":
        return _form(request, form, None)
    if not form.is_valid():
        return _form(request, form, None, HTTPStatus.BAD_REQUEST)
    try:
        plan = plans.create(actor=actor(request), request=request, **form.values())
    except DomainError as error:
        return _form(request, form, None, _told(form, error))
    messages.success(request, "The plan runs.")
    return redirect("devices:plan", plan.pk)


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def plan_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a plan."""
    plan = selectors.plan(pk)
    form = PlanForm(request.POST or None, initial=plan_initial(plan))
    if request.method != "POST":
        return _form(request, form, plan)
    if not form.is_valid():
        return _form(request, form, plan, HTTPStatus.BAD_REQUEST)
    try:
        plans.update(plan=plan, actor=actor(request), request=request, **form.values())
    except DomainError as error:
        return _form(request, form, plan, _told(form, error))
    messages.success(request, "Saved.")
    return redirect("devices:plan", pk)


def _told(form: PlanForm, error: DomainError) -> HTTPStatus:
    field = "rrule" if error.code.startswith("rrule") and form["mode"].value() == "rule" else None
    form.add_error(field, error.message)
    return status_of(error)


def _form(
    request: HttpRequest,
    form: PlanForm,
    plan: MaintenancePlan | None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context = {"form": form, "plan": plan, **rights(request)}
    return render(request, "devices/plan_form.html", context, status=status)


@requires(Can.MAINTENANCE_PLAN)
@require_safe
def plan_preview(request: HttpRequest) -> HttpResponse:
    """Fragment: the rule in words and its next days, while somebody types."""
    form = PreviewForm(request.GET)
    context: dict[str, Any] = {}
    if form.is_valid() and form.cleaned_data["timing"] != Timing.METER:
        starts_on = form.cleaned_data["starts_on"]
        floats = form.cleaned_data["timing"] == Timing.FLOATING
        try:
            rule = schedule.validate(
                str(form.rule()), starts_on, zone=timezone.get_default_timezone()
            )
            if floats:
                schedule.check_floating(rule)
        except DomainError as error:
            context["error"] = error
        else:
            context = {
                "sentence": floating(rule) if floats else sentence(rule, starts_on),
                "rule": str(rule),
                "dates": [starts_on] if floats else _from(rule, starts_on, timezone.localdate()),
                "skipped": None if floats else schedule.skipped_day(rule, starts_on),
            }
    elif form.is_valid():
        context["by_use"] = True
    return render(request, "devices/plan_preview.html", context)


def _from(rule: schedule.Rule, starts_on: Any, today: Any) -> list[Any]:
    plan = MaintenancePlan(rrule=str(rule), starts_on=starts_on)
    return selectors.next_dates(plan, today, PREVIEW)


def _skipped(found: MaintenancePlan) -> int | None:
    if found.timing != Timing.FIXED:
        return None
    return schedule.skipped_day(selectors.rule_of(found), found.starts_on)


@requires(Can.MAINTENANCE_READ)
@require_safe
def plan(request: HttpRequest, pk: int) -> HttpResponse:
    """What it asks for, its next days, its orders."""
    found = selectors.plan(pk)
    today = timezone.localdate()
    status = selectors.plan_statuses([found], today)[0]
    orders = order_rows().filter(plan=found).order_by("-due_on", "-pk")
    context = {
        "plan": found,
        "steps": [as_line(step) for step in found.checklist],
        "status": status,
        "dates": selectors.next_dates(found, today, PREVIEW) if found.active else [],
        "skipped": _skipped(found),
        "count": counts([found], timezone.now()).get(found.pk) if found.meter_id else None,
        "orders": dated(list(orders[:ORDERS])),
        "orders_count": orders.count(),
        "today": today,
        "now": timezone.now(),
        **rights(request),
    }
    return render(request, "devices/plan.html", context)


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def plan_deactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Pause; the page then offers to undo it."""
    plans.deactivate(plan=selectors.plan(pk), actor=actor(request), request=request)
    messages.success(request, "Paused. Orders ahead that nobody had touched are withdrawn.")
    return redirect("devices:plan", pk)


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def plan_reactivate(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a pause."""
    plans.reactivate(plan=selectors.plan(pk), actor=actor(request), request=request)
    messages.success(request, "The plan runs again.")
    return redirect("devices:plan", pk)
