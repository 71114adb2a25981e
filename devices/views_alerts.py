"""Pages of alerts, and of machines that wait to be registered."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.contrib import messages
from django.core.paginator import Paginator
from django.db import transaction
from django.forms import Form
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from devices.fields import row_ids
from devices.forms import (
    AliasForm,
    AssignForm,
    CommentForm,
    DeviceForm,
    ResolveForm,
    SnoozeForm,
)
from devices.models import Alert, Device, DeviceModel
from devices.models.inbox import InboxState
from devices.selectors import alert_figures as figures
from devices.selectors import alerts as selectors
from devices.selectors import evidence
from devices.selectors import twin as twin_selectors
from devices.selectors.notifications import DeliveryFilter, deliveries
from devices.services import alerts as services
from devices.services import inbox as inbox_services
from twinhealth.errors import DomainError

from .views import actor, chosen_model

PAGE = 50
BEFORE_OPENING = timedelta(days=3)


@require_GET
@requires(Can.ALERT_READ)
def alerts(request: HttpRequest) -> HttpResponse:
    """Which machine asks for somebody, most urgent first."""
    now = timezone.now()
    chosen = chosen_alerts(request)
    folded = chosen.is_plain
    found = selectors.alerts(
        chosen, now=now, ordering=request.GET.get("ordering", ""), folded=folded
    )
    page = Paginator(found, PAGE).get_page(request.GET.get("page"))
    context = {
        "page_obj": page,
        "rows": selectors.rows(page, folded=folded),
        "chosen": chosen,
        "counts": selectors.counts(chosen, now=now),
        "machines": Device.objects.order_by("name"),
        "now": now,
    }
    return render(request, "devices/alerts.html", context)


def _number(text: str) -> int | None:
    return int(text[:18]) if text.isdecimal() and len(text) < 19 else None


def chosen_alerts(request: HttpRequest) -> selectors.AlertFilter:
    """What the address asks for; a word that isn't known narrows nothing.

    Raises:
        InvalidInputError: `bad_day`, `bad_span`.
    """
    asked = request.GET
    start, last = (figures.day(asked.get(name, ""), name) for name in ("from", "to"))
    span = figures.span_of(start, last, now=timezone.now()).moments if start or last else None
    return selectors.AlertFilter(
        state=asked.get("state", "unresolved"),
        severity=asked.get("severity", ""),
        device=_number(asked.get("machine", "")),
        snoozed=False if asked.get("snoozed") == "hide" else None,
        mine=actor(request).pk if asked.get("mine") == "yes" else None,
        unassigned=asked.get("unassigned") == "yes",
        muted=asked.get("muted") == "yes",
        withheld=asked.get("withheld", ""),
        group=_number(asked.get("incident", "")),
        grouped=asked.get("grouped") == "yes",
        room=asked.get("room", "")[:64],
        rule=_number(asked.get("rule", "")),
        reason=asked.get("reason", ""),
        acknowledged=asked.get("acknowledged") == "yes",
        stale=asked.get("stale") == "yes",
        start=span[0] if span else None,
        end=span[1] if span else None,
    )


@require_POST
@requires(Can.ALERT_WORK)
def alerts_acknowledge(request: HttpRequest) -> HttpResponse:
    """Acknowledge those that are ticked."""
    ids = row_ids(request.POST.getlist("alert"))
    try:
        done = services.acknowledge_many(alert_ids=ids, actor=actor(request), request=request)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, f"Acknowledged: {len(done)}.")
    back = request.POST.get("back", "")
    here = reverse("devices:alerts")
    return redirect(f"{here}{back}" if back.startswith("?") else here)


@require_GET
@requires(Can.ALERT_READ)
def alert(request: HttpRequest, pk: int) -> HttpResponse:
    """What it is, since when, what was done."""
    return _alert_page(request, services.get(pk))


def _alert_page(request: HttpRequest, found: Alert, bad: Form | None = None) -> HttpResponse:
    now = timezone.now()
    end = min(now, found.resolved_at + timedelta(days=1)) if found.resolved_at else now
    charts = twin_selectors.charts(
        found.device,
        end=end,
        span=min(end - found.since + BEFORE_OPENING, timedelta(days=90)),
        journal_rows=twin_selectors.journal(found.device, end),
        only=found.rule.metric_id,
    )
    forms: dict[str, Form] = {
        "resolve_form": ResolveForm(),
        "snooze_form": SnoozeForm(),
        "assign_form": AssignForm(
            people=selectors.alert_workers(), initial={"assignee": found.assigned_to_id}
        ),
        "comment_form": CommentForm(),
    }
    for name, form in forms.items():
        if bad is not None and type(bad) is type(form):
            forms[name] = bad
    context = {
        "alert": found,
        "device": found.device,
        "charts": charts,
        "notes": found.notes.select_related("by"),
        "incident": selectors.incident_of(found),
        "evidence": evidence.of_alert(found, now),
        "deliveries": deliveries(DeliveryFilter(alert=found.pk), actor(request))[:PAGE],
        "resolved": found.state == "resolved",
        "snoozed": bool(found.snoozed_until and found.snoozed_until > now),
        "now": now,
        **forms,
    }
    return render(request, "devices/alert.html", context, status=400 if bad else 200)


def _acknowledge(request: HttpRequest, found: Alert, form: Form) -> None:
    services.acknowledge(alert=found, actor=actor(request), request=request)


def _resolve(request: HttpRequest, found: Alert, form: Form) -> None:
    services.resolve(alert=found, actor=actor(request), request=request, **form.cleaned_data)


def _snooze(request: HttpRequest, found: Alert, form: Form) -> None:
    # a little less, so that the longest choice isn't beyond the longest allowed
    until = timezone.now() + timedelta(hours=int(form.cleaned_data["hours"]), seconds=-1)
    services.snooze(alert=found, actor=actor(request), until=until, request=request)


def _assign(request: HttpRequest, found: Alert, form: Form) -> None:
    services.assign(alert=found, actor=actor(request), request=request, **form.cleaned_data)


def _comment(request: HttpRequest, found: Alert, form: Form) -> None:
    services.comment(alert=found, actor=actor(request), request=request, **form.cleaned_data)


_STEPS: dict[str, Callable[[HttpRequest, Alert, Form], None]] = {
    "acknowledge": _acknowledge,
    "resolve": _resolve,
    "snooze": _snooze,
    "assign": _assign,
    "comment": _comment,
}


def _form_of(step: str, request: HttpRequest) -> Form:
    if step == "assign":
        return AssignForm(request.POST, people=selectors.alert_workers())
    kinds = {"resolve": ResolveForm, "snooze": SnoozeForm, "comment": CommentForm}
    return kinds.get(step, Form)(request.POST)


@require_POST
@requires(Can.ALERT_WORK)
def alert_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Acknowledge, resolve, snooze, assign or comment."""
    if step not in _STEPS:
        raise Http404
    found = services.get(pk)
    form = _form_of(step, request)
    if not form.is_valid():
        return _alert_page(request, found, form)
    _STEPS[step](request, found, form)
    if getattr(request, "htmx", False):
        row = {"alert": services.get(pk), "member": "member" in request.GET, "now": timezone.now()}
        return render(request, "devices/parts/alert_row.html", row)
    return redirect("devices:alert", pk=pk)


@require_GET
@requires(Can.DEVICE_WRITE)
def inbox(request: HttpRequest) -> HttpResponse:
    """Machines that images name and nobody registered."""
    return _inbox_page(request)


def _inbox_page(
    request: HttpRequest, bad: Form | None = None, bad_entry: int | None = None
) -> HttpResponse:
    state = request.GET.get("state", InboxState.OPEN)
    page = Paginator(selectors.inbox(state), PAGE).get_page(request.GET.get("page"))
    known = {
        (m.manufacturer.casefold(), m.name.casefold()): m.pk for m in DeviceModel.objects.all()
    }
    rows = []
    for entry in page:
        model = known.get((entry.manufacturer.casefold(), entry.model_name.casefold()))
        register: Form = DeviceForm(
            auto_id=f"id_{entry.pk}_%s",
            initial={
                "name": entry.station_name or entry.serial,
                "model": model,
                "manufacturer": "" if model else entry.manufacturer,
                "model_name": "" if model else entry.model_name,
            },
        )
        alias: Form = AliasForm(auto_id=f"id_{entry.pk}_%s")
        if bad is not None and entry.pk == bad_entry:
            register = bad if isinstance(bad, DeviceForm) else register
            alias = bad if isinstance(bad, AliasForm) else alias
        rows.append((entry, register, alias))
    context = {
        "rows": rows,
        "page_obj": page,
        "state": state,
        "states": InboxState.choices,
        "bad_entry": bad_entry,
        "now": timezone.now(),
    }
    return render(request, "devices/inbox.html", context, status=400 if bad else 200)


@require_POST
@requires(Can.DEVICE_WRITE)
def inbox_register(request: HttpRequest, pk: int) -> HttpResponse:
    """It is a new machine."""
    entry = inbox_services.get(pk)
    form = DeviceForm(request.POST, auto_id=f"id_{pk}_%s")
    if form.is_valid():
        try:
            with transaction.atomic():
                device = inbox_services.register(
                    entry=entry,
                    actor=actor(request),
                    name=form.cleaned_data["name"],
                    location=form.cleaned_data["location"],
                    model=chosen_model(form, request),
                    request=request,
                )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            count = entry.image_count
            images = "image follows" if count == 1 else "images follow"
            messages.success(request, f"{device} is registered. Its {count} {images} shortly.")
            return redirect("devices:inbox")
    return _inbox_page(request, form, pk)


@require_POST
@requires(Can.DEVICE_WRITE)
def inbox_alias(request: HttpRequest, pk: int) -> HttpResponse:
    """It is a known machine under another name."""
    entry = inbox_services.get(pk)
    form = AliasForm(request.POST, auto_id=f"id_{pk}_%s")
    if form.is_valid():
        device = form.cleaned_data["device"]
        try:
            inbox_services.alias(entry=entry, actor=actor(request), device=device, request=request)
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            messages.success(request, f"{entry.serial} is {device} from now on.")
            return redirect("devices:inbox")
    return _inbox_page(request, form, pk)


@require_POST
@requires(Can.DEVICE_WRITE)
def inbox_dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Not one of ours."""
    entry = inbox_services.dismiss(
        entry=inbox_services.get(pk), actor=actor(request), request=request
    )
    messages.success(request, f"{entry.serial} is dismissed; it stays under “dismissed”.")
    return redirect("devices:inbox")
