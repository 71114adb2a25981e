"""Pages of one work order; made for the phone in front of the machine."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from twinhealth.errors import DomainError, InvalidInputError, NotFoundError
from twinhealth.web.errors import status_of
from twinhealth.web.ucum import unit_text

from . import checklist as steps_of
from . import order_steps
from . import selectors_maintenance as selectors
from .checklist_steps import Kind, plain
from .forms_orders import (
    AssignForm,
    CommentForm,
    OrderForm,
    OverrideForm,
    ReasonForm,
    ScheduleForm,
    SignatureForm,
)
from .models import Alert, OrderFile, WorkOrder
from .selectors import evidence
from .selectors.order_people import candidates, missing_of, worked_on
from .selectors_plans import countable_plans
from .services import downtimes, orders
from .views_maintenance import actor, dated, rights
from .views_order_costs import facts
from .views_order_files import attach_photos


@requires(Can.ORDER_WORK)
@require_http_methods(["GET", "HEAD", "POST"])
def order_new(request: HttpRequest) -> HttpResponse:
    """An order by hand; `?device=` or `?alert=` fills it in."""
    alert = _alert(request)
    initial = {"device": alert.device_id if alert else request.GET.get("device")}
    if alert:
        initial["title"] = orders.title_for(alert)
    form = OrderForm(request.POST or None, initial=initial)
    status = HTTPStatus.OK
    if request.method == "POST":
        status = HTTPStatus.BAD_REQUEST
        if form.is_valid():
            try:
                order = orders.create(
                    actor=actor(request), alert=alert, request=request, **form.values()
                )
            except DomainError as error:
                form.add_error(None, error.message)
                status = status_of(error)
            else:
                messages.success(request, f"WO-{order.pk} is {order.get_state_display()}.")
                return redirect("devices:order", order.pk)
    context = {"form": form, "alert": alert, **rights(request)}
    return render(request, "devices/order_form.html", context, status=status)


def _alert(request: HttpRequest) -> Alert | None:
    text = request.POST.get("alert") or request.GET.get("alert", "")
    if not text:
        return None
    number = int(text[:18]) if text.isdecimal() else 0
    found = Alert.objects.select_related("device").filter(pk=number).first()
    if found is None:
        raise NotFoundError("alert_not_found", "There is no such alert.")
    return found


@requires(Can.MAINTENANCE_READ)
@require_safe
def order(request: HttpRequest, pk: int) -> HttpResponse:
    """The order: what to do, what was done, by whom."""
    return _page(request, selectors.order(pk))


def _page(
    request: HttpRequest,
    found: WorkOrder,
    *,
    error: DomainError | None = None,
    failed: tuple[str, Form] | None = None,
    answers: list[steps_of.Item] | None = None,
) -> HttpResponse:
    initial = {"scheduled_for": found.scheduled_for, "assigned_to": found.assigned_to_id}
    able = candidates(found) if found.skills else []
    lacks = {who.person.pk: who.lacks for who in able if who.lacks}
    forms = {
        f"{step}_form": shape(initial=initial, auto_id=f"id_{step}_%s")
        for step, (shape, _, _) in _STEPS.items()
    }
    for each in forms.values():
        if isinstance(each, AssignForm):
            each.say_lacks(lacks)
    if failed is not None:
        forms[f"{failed[0]}_form"] = failed[1]
    dated([found])
    possible = order_steps.possible(found.state)
    countable = countable_plans(found)
    forms["complete_form"].fields["counts_for"].queryset = countable  # type: ignore[attr-defined]
    checklist = found.checklist if answers is None else answers
    context = {
        "order": found,
        "checklist": _shown_steps(found, checklist),
        "files": found.files.all(),
        "file_bytes": settings.MAX_ORDER_FILE_BYTES,
        "done_count": sum(1 for item in checklist if steps_of.answered(item)),
        "possible": possible,
        "working": found.state in {"in_progress", "on_hold"},
        "open_order": found.state in order_steps.OPEN,
        "may_count_for": "complete" in possible and countable.exists(),
        "own_work": found.state == "done" and actor(request).pk in worked_on(found),
        "able": [who.person for who in able if not who.lacks],
        "skills_missing": missing_of([found]).get(found.pk, []),
        "i_lack": lacks.get(actor(request).pk, []) if "start" in possible else [],
        "down": selectors.downtimes().filter(device=found.device, ends_at=None).first(),
        "evidence": evidence.of_order(found, timezone.now()),
        "error": error,
        "sides": _sides(found, answers) if error and error.code == "order_changed" else [],
        "zone": settings.TIME_ZONE,
        "failed": failed[0] if failed else "",
        "now": timezone.now(),
        **facts(found),
        **forms,
        **rights(request),
    }
    status = status_of(error) if error else HTTPStatus.OK
    response = render(request, "devices/order.html", context, status=status)
    response["X-Order-Person"] = str(actor(request).pk)  # whose page a browser keeps
    return response


def _sides(found: WorkOrder, answers: list[steps_of.Item] | None) -> list[dict[str, Any]]:
    """Steps that somebody else answered otherwise than the person who signs."""
    pairs = zip(found.checklist, answers or [], strict=False)
    return [
        {"step": theirs["step"], "mine": _said(mine), "theirs": _said(theirs)}
        for theirs, mine in pairs
        if _said(theirs) != _said(mine)
    ]


def _said(item: steps_of.Item) -> str:
    """An answer in words."""
    kind = steps_of.kind_of(item)
    value = plain(_as_number(item)) if kind == Kind.NUMBER else item.get("value") or ""
    words = str(value) if "value" in item else "done" if item["done"] else "not done"
    return f"{words or 'nothing'}; {item['note']}" if item["note"] else words or "nothing"


def _answers(request: HttpRequest, found: WorkOrder) -> list[dict[str, Any]]:
    """The checklist as the form sends it: a tick or a value, and a note per step, by place."""
    answers = []
    for place, item in enumerate(found.checklist):
        given: dict[str, Any] = {"note": request.POST.get(f"note-{place}", "")}
        kind = steps_of.kind_of(item)
        if kind == Kind.CHECK:
            given["done"] = f"done-{place}" in request.POST
        elif kind != Kind.PHOTO:
            given["value"] = request.POST.get(f"value-{place}", "")
        answers.append(given)
    return answers


def _as_number(item: steps_of.Item) -> Any:
    """What was typed as the number that it is; what is none is refused elsewhere."""
    try:
        return steps_of.number(item["step"], item.get("value"))
    except InvalidInputError:
        return None


def _shown_steps(found: WorkOrder, items: list[steps_of.Item]) -> list[dict[str, Any]]:
    """Steps with what their fields show."""
    files: dict[Any, OrderFile] = {file.pk: file for file in found.files.all()}
    return [
        {
            **item,
            "kind": str(steps_of.kind_of(item)),
            "allowed": steps_of.allowed(item),
            "outside": steps_of.outside({**item, "value": _as_number(item)}),
            "value_text": _text(item.get("value")),
            "kept": {**kept, "value": _text(kept.get("value")) or ""},
            "unit_text": unit_text(item.get("unit", "1")),
            "file": files.get(item.get("value")) if steps_of.kind_of(item) == Kind.PHOTO else None,
        }
        for item, kept in zip(items, found.checklist, strict=True)
    ]


def _text(value: Any) -> Any:
    return plain(value) if isinstance(value, float) else value


def _schedule(request: HttpRequest, found: WorkOrder, data: dict[str, Any]) -> None:
    orders.schedule(order=found, actor=actor(request), request=request, **data)


def _assign(request: HttpRequest, found: WorkOrder, data: dict[str, Any]) -> None:
    who = data["assigned_to"]
    orders.assign(
        order=found,
        actor=actor(request),
        assignee=who,
        override=data["override"],
        request=request,
    )


def _complete(request: HttpRequest, found: WorkOrder, data: dict[str, Any]) -> None:
    seen = data.pop("revision")
    photos = attach_photos(request, found)
    orders.complete(
        order=found,
        actor=actor(request),
        checklist=_answers(request, found),
        revision=None if seen is None else seen + photos,
        request=request,
        **data,
    )


def _down(request: HttpRequest, found: WorkOrder, data: dict[str, Any]) -> None:
    downtimes.start(actor=actor(request), device=found.device, order=found, request=request, **data)


def _by(service: Callable[..., WorkOrder]) -> Callable[..., None]:
    def call(request: HttpRequest, found: WorkOrder, data: dict[str, Any]) -> None:
        service(order=found, actor=actor(request), request=request, **data)

    return call


Step = tuple[type[Form], Callable[[HttpRequest, WorkOrder, dict[str, Any]], None], str]
_STEPS: dict[str, Step] = {
    "schedule": (ScheduleForm, _schedule, "Scheduled."),
    "start": (OverrideForm, _by(orders.start), "Started."),
    "hold": (ReasonForm, _by(orders.hold), "On hold. Resume it when the work goes on."),
    "resume": (Form, _by(orders.resume), "The work goes on."),
    "complete": (SignatureForm, _complete, "Done and signed."),
    "verify": (Form, _by(orders.verify), "Verified."),
    "cancel": (ReasonForm, _by(orders.cancel), "Cancelled."),
    "assign": (AssignForm, _assign, "Assigned."),
    "comment": (CommentForm, _by(orders.comment), "Added to the time line."),
    "down": (ReasonForm, _down, "The machine is down from now on."),
}


@requires(Can.ORDER_WORK)
@require_POST
def order_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """One step; what is refused stays on the page with the reason, and what was typed stays."""
    found = selectors.order(pk)
    if step not in _STEPS:
        raise NotFoundError("step_not_found", "An order has no such step.")
    shape, call, said = _STEPS[step]
    form = shape(request.POST, auto_id=f"id_{step}_%s")
    error = _refusal(request, found, form, call)
    if error is not None:
        answers = _typed(request, found) if step == "complete" else None
        now = selectors.order(pk)
        return _page(request, now, error=error, failed=(step, form), answers=answers)
    messages.success(request, said)
    return redirect("devices:order", pk)


def _refusal(
    request: HttpRequest, found: WorkOrder, form: Form, call: Callable[..., None]
) -> DomainError | None:
    if not form.is_valid():
        first = next(iter(form.errors.values()))[0]
        return InvalidInputError("invalid", str(first))
    try:
        call(request, found, form.cleaned_data)
    except DomainError as error:
        return error
    return None


def _typed(request: HttpRequest, found: WorkOrder) -> list[steps_of.Item]:
    """The checklist with what was typed, so that a refusal loses nothing."""
    now = selectors.order(found.pk)  # photos that came with the form are kept by now
    return [
        {**item, **answer}
        for item, answer in zip(now.checklist, _answers(request, now), strict=True)
    ]


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def order_accept(request: HttpRequest, pk: int) -> HttpResponse:
    """A request becomes planned work."""
    orders.plan(order=selectors.order(pk), actor=actor(request), request=request)
    messages.success(request, "Accepted: the order is planned.")
    return redirect("devices:order", pk)


@requires(Can.ANYONE)
@require_safe
def order_worker(request: HttpRequest) -> HttpResponse:
    """The script by which order pages open without network; it holds nothing of anybody."""
    found = render(request, "devices/order_worker.js", content_type="text/javascript")
    found["Cache-Control"] = "no-cache"
    return found
