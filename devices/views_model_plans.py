"""Pages of plans of a make, and of days on which nothing becomes due."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.core.paginator import Paginator
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from . import schedule
from .checklist_steps import as_line
from .forms_model_plans import (
    BlackoutForm,
    ExceptionForm,
    ModelPlanForm,
    NewModelPlanForm,
    model_plan_initial,
)
from .models import MaintenancePlan, ModelPlan, ModelPlanException
from .schedule_words import floating, sentence
from .selectors import model_plans as selectors
from .selectors_plans import plan as plan_of
from .services import blackouts as blackout_services
from .services import model_plans as services
from .views_maintenance import actor, back, rights

PAGE = 50


def _words(plan: ModelPlan) -> str:
    rule = schedule.parse(plan.rrule)
    return floating(rule) if plan.timing == "floating" else sentence(rule, plan.starts_on)


@requires(Can.MAINTENANCE_READ)
@require_safe
def model_plans(request: HttpRequest) -> HttpResponse:
    """All of them."""
    page = Paginator(selectors.listed(), PAGE).get_page(request.GET.get("page"))
    rows = [(plan, _words(plan)) for plan in page]
    context = {"page_obj": page, "rows": rows, **rights(request)}
    return render(request, "devices/model_plans.html", context)


@requires(Can.MAINTENANCE_READ)
@require_safe
def model_plan(request: HttpRequest, pk: int) -> HttpResponse:
    """What it asks for, of which machines, and who is excepted."""
    return _page(request, services.get(pk))


def _page(
    request: HttpRequest, plan: ModelPlan, form: Form | None = None, status: int = HTTPStatus.OK
) -> HttpResponse:
    machines = plan.plans.select_related("device").order_by("device__name", "pk")
    context = {
        "plan": plan,
        "words": _words(plan),
        "steps": [as_line(step) for step in plan.checklist],
        "page_obj": Paginator(machines, PAGE).get_page(request.GET.get("page")),
        "exceptions": plan.exceptions.select_related("device", "by"),
        "form": form or ExceptionForm(plan=plan),
        **rights(request),
    }
    return render(request, "devices/model_plan.html", context, status=status)


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def model_plan_new(request: HttpRequest) -> HttpResponse:
    """A plan for all machines of a make."""
    initial = {"device_model": request.GET.get("model")}
    form = NewModelPlanForm(request.POST or None, initial=initial)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.BAD_REQUEST
        if form.is_valid():
            try:
                made = services.create(actor=actor(request), request=request, **form.values())
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, f"The plan runs on {made.plans.count()} machines.")
                return redirect("devices:model-plan", made.pk)
    return _form(request, form, None, status)


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def model_plan_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change it for every machine."""
    plan = services.get(pk)
    form = ModelPlanForm(request.POST or None, initial=model_plan_initial(plan))
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.BAD_REQUEST
        if form.is_valid():
            try:
                services.update(
                    model_plan=plan, actor=actor(request), request=request, **form.values()
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, "Saved for every machine.")
                return redirect("devices:model-plan", pk)
    return _form(request, form, plan, status)


def _form(
    request: HttpRequest, form: ModelPlanForm, plan: ModelPlan | None, status: int
) -> HttpResponse:
    context = {"form": form, "of_model": True, "model_plan": plan, **rights(request)}
    return render(request, "devices/plan_form.html", context, status=status)


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def model_plan_except(request: HttpRequest, pk: int) -> HttpResponse:
    """Leave a machine out, or give it another interval."""
    plan = services.get(pk)
    form = ExceptionForm(request.POST, plan=plan)
    if not form.is_valid():
        return _page(request, plan, form, HTTPStatus.BAD_REQUEST)
    try:
        services.except_machine(
            model_plan=plan, actor=actor(request), request=request, **form.cleaned_data
        )
    except DomainError as error:
        form.add_error(None, error.message)
        return _page(request, plan, form, status_of(error))
    messages.success(request, "Kept.")
    return redirect("devices:model-plan", pk)


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def model_plan_include(request: HttpRequest, pk: int) -> HttpResponse:
    """The machine has the make's own plan again."""
    found = get_object_or_404(
        ModelPlanException.objects.select_related("model_plan", "device"), pk=pk
    )
    services.end_exception(exception=found, actor=actor(request), request=request)
    messages.success(request, f"{found.device} has the plan again.")
    return redirect("devices:model-plan", found.model_plan_id)


@requires(Can.MAINTENANCE_READ)
@require_safe
def blackouts(request: HttpRequest) -> HttpResponse:
    """Days on which nothing becomes due."""
    return _days(request, BlackoutForm(), HTTPStatus.OK)


@requires(Can.MAINTENANCE_READ)
@require_safe
def plan_blackouts(request: HttpRequest, pk: int) -> HttpResponse:
    """Days on which nothing of one plan becomes due: its own, and the hospital's."""
    return _days(request, BlackoutForm(), HTTPStatus.OK, plan_of(pk))


def _days(
    request: HttpRequest, form: BlackoutForm, status: int, plan: MaintenancePlan | None = None
) -> HttpResponse:
    page = Paginator(selectors.blackouts(plan), PAGE).get_page(request.GET.get("page"))
    context = {"form": form, "page_obj": page, "plan": plan, **rights(request)}
    return render(request, "devices/blackouts.html", context, status=status)


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def blackout_new(request: HttpRequest) -> HttpResponse:
    """Nothing becomes due on these days."""
    return _new_days(request, None)


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def plan_blackout_new(request: HttpRequest, pk: int) -> HttpResponse:
    """Nothing of one plan becomes due on these days."""
    return _new_days(request, plan_of(pk))


def _new_days(request: HttpRequest, plan: MaintenancePlan | None) -> HttpResponse:
    form = BlackoutForm(request.POST)
    if not form.is_valid():
        return _days(request, form, HTTPStatus.BAD_REQUEST, plan)
    try:
        blackout_services.create(
            actor=actor(request), plan=plan, request=request, **form.cleaned_data
        )
    except DomainError as error:
        form.add_error(None, error.message)
        return _days(request, form, status_of(error), plan)
    messages.success(request, "Kept. Orders that nobody had touched moved.")
    return redirect("devices:plan-blackouts", plan.pk) if plan else redirect("devices:blackouts")


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def blackout_delete(request: HttpRequest, pk: int) -> HttpResponse:
    """Work may be due on these days again."""
    blackout_services.delete(
        blackout=blackout_services.get(pk), actor=actor(request), request=request
    )
    messages.success(request, "Work may be due on these days again.")
    return back(request, "devices:blackouts")
