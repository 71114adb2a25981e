"""The week in lanes, and moving an order: by dragging, or by the form alone."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from http import HTTPStatus
from typing import Any, cast

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import Can, may
from devices import machine_choice
from devices.fields import row_ids
from devices.forms_maintenance import FilterForm, MomentInput
from devices.selectors_maintenance import order, workers
from devices.views_maintenance import dated
from twinhealth.errors import DomainError, NotFoundError
from twinhealth.web.errors import status_of

from . import selectors_week as selectors
from .services import rescheduling

UNDO = "moved_order"  # key of the session
UNDO_FOR = timedelta(minutes=10)
MORNING = time(8)  # of an order that had a day alone


class MoveForm(forms.Form):
    """When, who, and why."""

    scheduled_for = forms.DateTimeField(widget=MomentInput(), label="When")
    assigned_to = forms.ModelChoiceField(
        User.objects.none(), required=False, label="For", empty_label="as it is"
    )
    reason = forms.CharField(
        max_length=300, label="Why it moves", help_text="Kept in the order's history."
    )
    beyond_grace = forms.BooleanField(
        required=False, label="Move it beyond due date and grace all the same"
    )
    override = forms.CharField(
        max_length=300,
        required=False,
        label="Why the person gets it without the skill",
        help_text="Admins alone; kept on the time line.",
    )
    seen = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.label_suffix = ""
        self.fields["assigned_to"].queryset = workers()  # type: ignore[attr-defined]


@requires(Can.MAINTENANCE_READ)
@require_safe
def week(request: HttpRequest) -> HttpResponse:
    """Who has what on which day."""
    today = timezone.localdate()
    chosen = machine_choice.narrowed(FilterForm(request.GET).chosen(), request.GET)
    found = selectors.week(chosen, selectors.first_of(request.GET.get("week", ""), today))
    for lane in found.lanes:
        for day in lane.days:
            dated(day.orders)
    context = {
        "week": found,
        "chosen": chosen,
        "today": today,
        "machines": machine_choice.choices(),
        "workers": workers(),
        "now": timezone.now(),
        "can_work": may(request.user, Can.ORDER_WORK),
        "undo": _undoable(request),
    }
    return render(request, "maintenance/week.html", context)


def _undoable(request: HttpRequest) -> dict[str, Any] | None:
    kept = request.session.get(UNDO)
    if not kept or datetime.fromisoformat(kept["at"]) < timezone.now() - UNDO_FOR:
        return None
    return cast("dict[str, Any]", kept)


def _first(request: HttpRequest, found: Any) -> dict[str, Any]:
    """What the form opens with: where the order was dropped, else where it stands."""
    day = request.GET.get("day", "")[:10]
    at = timezone.localtime(found.scheduled_for) if found.scheduled_for else None
    if at is None and found.due_on:
        at = timezone.make_aware(datetime.combine(found.due_on, MORNING))
    try:
        dropped = datetime.fromisoformat(day).date()
    except ValueError:
        dropped = None
    if dropped is not None:
        clock = at.time() if at else MORNING
        at = timezone.make_aware(datetime.combine(dropped, clock))
    person = next(iter(row_ids([request.GET.get("person", "")])), None)
    return {"scheduled_for": at, "assigned_to": person, "seen": _seen(found)}


def _seen(found: Any) -> str:
    return f"{found.state}|{found.assigned_to_id}|{found.scheduled_for}"


@requires(Can.ORDER_WORK)
@require_http_methods(["GET", "HEAD", "POST"])
def reschedule(request: HttpRequest, pk: int) -> HttpResponse:
    """One order to another time."""
    found = order(pk)
    form = MoveForm(request.POST or None, initial=_first(request, found))
    status, ask, lacking = HTTPStatus.OK, False, False
    if request.method == "POST":
        status = HTTPStatus.BAD_REQUEST
        if form.is_valid():
            try:
                return _moved(request, found, dict(form.cleaned_data))
            except DomainError as error:
                form.add_error(None, error.message)
                ask, status = error.code == "beyond_grace", status_of(error)
                lacking = error.code == "skills_missing"
    context = {
        "form": form,
        "order": found,
        "ask": ask or "beyond_grace" in request.POST,
        "lacking": (lacking or bool(request.POST.get("override")))
        and may(request.user, Can.MAINTENANCE_PLAN),
    }
    return render(request, "maintenance/reschedule.html", context, status=status)


def _moved(request: HttpRequest, found: Any, given: dict[str, Any]) -> HttpResponse:
    seen = given.pop("seen")
    if seen and seen != _seen(found):
        found.state = ""  # not what the person saw: the service refuses it
    moved, before = rescheduling.move(
        order=found, actor=cast("User", request.user), request=request, **given
    )
    request.session[UNDO] = {
        "order": moved.pk,
        "at": timezone.now().isoformat(),
        "to": before.kept(),
        "after": rescheduling.Place.of(moved).kept(),
    }
    messages.success(request, f"Moved: WO-{moved.pk}.")
    name = selectors.name_of(timezone.localdate(moved.scheduled_for))
    return redirect(f"{reverse('maintenance:week')}?week={name}")


@requires(Can.ORDER_WORK)
@require_POST
def undo(request: HttpRequest) -> HttpResponse:
    """Take the last move back."""
    kept = _undoable(request)
    if kept is None:
        raise NotFoundError("nothing_to_undo", "There is no move to undo any more.")
    found = rescheduling.undo(
        order=order(kept["order"]),
        actor=cast("User", request.user),
        to=rescheduling.Place.of_kept(kept["to"]),
        after=rescheduling.Place.of_kept(kept["after"]),
        request=request,
    )
    del request.session[UNDO]
    messages.success(request, f"WO-{found.pk} is back where it was.")
    day = timezone.localdate(found.scheduled_for) if found.scheduled_for else found.due_on
    name = selectors.name_of(day or timezone.localdate())
    return redirect(f"{reverse('maintenance:week')}?week={name}")
