"""Pages of rules: the list, one rule with its history, making, changing, switching, replay."""

from __future__ import annotations

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import Can, may
from devices.forms_rules import ReplayForm, RuleForm, SwitchForm, WhatForm, initial_of
from devices.models import DeviceModel, Metric, Rule
from devices.rule_kinds.spec import BY_HAND, KINDS
from devices.rule_kinds.words import sentence
from devices.selectors import replay as replay_selectors
from devices.selectors import rules as selectors
from devices.services import rules
from twinhealth.errors import DomainError, NotFoundError
from twinhealth.web.errors import status_of

from .views import actor


@require_GET
@requires(Can.DEVICE_READ)
def rule_list(request: HttpRequest) -> HttpResponse:
    """Every rule by make; `?model=` one of them, `?show=off` those that are switched off."""
    makes = selectors.models()
    chosen = next((m for m in makes if str(m.pk) == request.GET.get("model", "")), None)
    show = request.GET.get("show", "")
    enabled = {"": True, "off": False}.get(show)
    listed = [
        (rule, sentence(selectors.spec_of_rule(rule)))
        for rule in selectors.listed(chosen, enabled=enabled)
    ]
    context = {
        "rules": listed,
        "makes": makes,
        "chosen": chosen,
        "show": show,
        "may_edit": may(request.user, Can.RULE_EDIT),
        "now": timezone.now(),
    }
    return render(request, "devices/rules.html", context)


@require_GET
@requires(Can.DEVICE_READ)
def rule(request: HttpRequest, pk: int) -> HttpResponse:
    """What it says, who made it so, every version."""
    return _rule_page(request, selectors.get(pk), SwitchForm())


def _rule_page(
    request: HttpRequest, found: Rule, form: SwitchForm, status: int = HTTPStatus.OK
) -> HttpResponse:
    model = selectors.model_of(found)
    history = selectors.history(found)
    context = {
        "rule": found,
        "model": model,
        "kind": KINDS[found.kind],
        "sentence": sentence(selectors.spec_of_rule(found)),
        "history": [(v, selectors.words_of(found, v)) for v in history],
        "devices": model.devices.exclude(lifecycle="retired").order_by("name"),
        "switch_form": form,
        "may_edit": may(request.user, Can.RULE_EDIT),
    }
    return render(request, "devices/rule.html", context, status=status)


@requires(Can.RULE_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def rule_new(request: HttpRequest, model_id: int) -> HttpResponse:
    """First the kind and the metric (`?kind=&metric=`), then its values."""
    model = selectors.model(model_id)
    what = WhatForm(request.GET if "kind" in request.GET else None, model=model)
    if not what.is_valid():
        status = HTTPStatus.BAD_REQUEST if what.is_bound else HTTPStatus.OK
        context = {"what": what, "model": model}
        return render(request, "devices/rule_what.html", context, status=status)
    kind, metric = what.cleaned_data["kind"], what.cleaned_data["metric"]
    name = metric.label if metric else KINDS[kind]
    form = RuleForm(request.POST or None, kind=kind, metric=metric, initial={"name": name})
    if request.method != "POST":
        return _form(request, form, model, None)
    if not form.is_valid():
        return _form(request, form, model, None, HTTPStatus.BAD_REQUEST)
    try:
        made = rules.create(
            kind=kind,
            metric=metric,
            model=model,
            given=form.given(),
            actor=actor(request),
            reason=form.cleaned_data["reason"],
            request=request,
        )
    except DomainError as error:
        form.told(error)
        return _form(request, form, model, None, status_of(error))
    messages.success(request, "The rule is on; machines are judged by it within a minute.")
    return redirect("devices:rule", pk=made.pk)


@requires(Can.RULE_EDIT)
@require_http_methods(["GET", "HEAD", "POST"])
def rule_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change its values: a new version."""
    found = selectors.get(pk)
    model = selectors.model_of(found)
    form = RuleForm(
        request.POST or None, kind=found.kind, metric=found.metric, initial=initial_of(found)
    )
    if request.method != "POST":
        return _form(request, form, model, found)
    if not form.is_valid():
        return _form(request, form, model, found, HTTPStatus.BAD_REQUEST)
    try:
        rules.change(
            rule=found,
            given=form.given(),
            actor=actor(request),
            reason=form.cleaned_data["reason"],
            seen=form.cleaned_data["version"],
            request=request,
        )
    except DomainError as error:
        form.told(error)
        return _form(request, form, model, found, status_of(error))
    messages.success(request, "Saved as a new version.")
    return redirect("devices:rule", pk=pk)


def _form(
    request: HttpRequest,
    form: RuleForm,
    model: DeviceModel,
    found: Rule | None,
    status: int = HTTPStatus.OK,
) -> HttpResponse:
    context = {
        "form": form,
        "model": model,
        "rule": found,
        "metric": form.metric,
        "kind": form.kind,
        "kind_words": KINDS[form.kind],
        "replay_form": ReplayForm(
            model=model, initial={"device": request.GET.get("device")}, auto_id="replay_%s"
        ),
    }
    return render(request, "devices/rule_form.html", context, status=status)


@require_POST
@requires(Can.RULE_EDIT)
def rule_switch(request: HttpRequest, pk: int) -> HttpResponse:
    """Off where it is on, on where it is off, with the reason."""
    found = selectors.get(pk)
    form = SwitchForm(request.POST)
    if not form.is_valid():
        return _rule_page(request, found, form, HTTPStatus.BAD_REQUEST)
    enabled = not found.enabled
    rules.switch(
        rule=found,
        enabled=enabled,
        actor=actor(request),
        reason=form.cleaned_data["reason"],
        request=request,
    )
    messages.success(request, f"{found} is {'on again' if enabled else 'off; its alerts stay'}.")
    return redirect("devices:rule", pk=pk)


@require_POST
@requires(Can.DEVICE_READ)
def rule_replay(request: HttpRequest, model_id: int) -> HttpResponse:
    """What the rule of the form, saved or not, would have done; a fragment or a page."""
    model, kind = selectors.model(model_id), request.POST.get("kind", "")
    if kind not in BY_HAND:
        raise NotFoundError("unknown_kind", "There is no such kind of rule.")
    metric = _metric(model, request)
    form = RuleForm(request.POST, kind=kind, metric=metric, reason=False)
    where = ReplayForm(request.POST, model=model)
    context: dict[str, Any] = {"form": form, "where": where, "model": model}
    status = HTTPStatus.BAD_REQUEST
    if form.is_valid() and where.is_valid():
        try:
            values = rules.checked(kind, metric, form.given())
            context["spec"] = spec = selectors.spec_given(kind, metric, values)
            end = timezone.now()
            start = end - timedelta(days=int(where.cleaned_data["days"]))
            shown = replay_selectors.run(
                device=where.cleaned_data["device"],
                metric=metric,
                spec=spec,
                start=start,
                end=end,
            )
        except DomainError as error:
            form.told(error)
        else:
            context |= {"shown": shown, "found": shown.replay, "sentence": sentence(spec)}
            context["chart_json"] = json.dumps(shown.chart)
            context["device"] = where.cleaned_data["device"]
            status = HTTPStatus.OK
    if getattr(request, "htmx", False):
        return render(request, "devices/parts/replay.html", context)
    return render(request, "devices/rule_replay.html", context, status=status)


def _metric(model: DeviceModel, request: HttpRequest) -> Metric | None:
    key = request.POST.get("metric_key", "")
    return selectors.metric(model, key) if key else None
