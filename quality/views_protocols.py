"""Protocols: the list, one with its versions and plans, the editor with a row per test."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from devices.checklist_steps import plain
from devices.views_maintenance import actor, rights
from twinhealth.errors import DomainError, NotFoundError
from twinhealth.web.errors import status_of

from .forms import BLANKS, ProtocolForm, TieForm, choices_text, tests_given
from .models import Protocol
from .selectors import found
from .services import protocols
from .tests_of import KINDS, MAX_TESTS, MODES, SIDES, ProtocolTest, from_json

PAGE = 50
ORDERINGS = {"name": "name", "sessions": "count", "newest": "newest"}


@requires(Can.MAINTENANCE_READ)
@require_safe
def protocol_list(request: HttpRequest) -> HttpResponse:
    """Protocols in use; `?retired=yes` those that aren't."""
    retired = request.GET.get("retired") == "yes"
    listed = found.protocols().filter(retired_at__isnull=not retired)
    ordering = request.GET.get("ordering", "")
    name = ORDERINGS.get(ordering.removeprefix("-"), "name")
    listed = listed.order_by(f"-{name}" if ordering.startswith("-") else name, "pk")
    context = {
        "page_obj": Paginator(listed, PAGE).get_page(request.GET.get("page")),
        "retired": retired,
        **rights(request),
    }
    return render(request, "quality/protocols.html", context)


@requires(Can.MAINTENANCE_READ)
@require_safe
def protocol(request: HttpRequest, pk: int) -> HttpResponse:
    """What it asks for, its versions, the plans that ask for it; `?version=` an earlier one."""
    one = found.protocol(pk)
    versions = list(one.versions.select_related("by").order_by("-number"))
    asked = request.GET.get("version", "")
    shown = next((v for v in versions if str(v.number) == asked), versions[0] if versions else None)
    context = {
        "protocol": one,
        "versions": versions,
        "shown": shown,
        "tests": [from_json(row) for row in shown.tests] if shown else [],
        "links": one.plans.select_related("plan__device", "model_plan__device_model"),
        "tie_form": TieForm(protocol=one),
        "kinds": KINDS,
        **rights(request),
    }
    return render(request, "quality/protocol.html", context)


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def protocol_new(request: HttpRequest) -> HttpResponse:
    """A protocol with its first version."""
    return _edit(request, None)


@requires(Can.MAINTENANCE_PLAN)
@require_http_methods(["GET", "HEAD", "POST"])
def protocol_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """The next version."""
    return _edit(request, found.protocol(pk))


def _edit(request: HttpRequest, one: Protocol | None) -> HttpResponse:
    version = one.current if one else None
    initial = {"name": one.name, "instructions": version.instructions} if one and version else {}
    form = ProtocolForm(request.POST or None, protocol=one, initial=initial)
    rows = [_typed(from_json(row)) for row in version.tests] if version else []
    error: DomainError | None = None
    status = 200
    if request.method == "POST":
        rows = _typed_rows(request)
        status = 400
        if form.is_valid():
            try:
                saved = _save(request, one, form.cleaned_data)
            except DomainError as refused:
                error, status = refused, status_of(refused)
            else:
                messages.success(request, f"Saved as version {saved.current.number}.")  # type: ignore[union-attr]
                return redirect("quality:protocol", saved.pk)
    context = {
        "protocol": one,
        "form": form,
        "rows": [*rows, *({} for _ in range(min(BLANKS, MAX_TESTS - len(rows))))],
        "seen": version.number if version else "",
        "kinds": KINDS,
        "modes": MODES,
        "sides": SIDES,
        "metrics": one.rule.device_model.metrics.order_by("label")  # type: ignore[union-attr]
        if one
        else [],
        "error": error,
        **rights(request),
    }
    return render(request, "quality/protocol_form.html", context, status=status)


def _typed(test: ProtocolTest) -> dict[str, Any]:
    """A test as the editor's fields show it."""
    row = test.to_json()
    for name in ("reference", "tolerance", "action"):
        row[name] = plain(row[name]) if name in row else ""
    return {**row, "choices": choices_text(test)}


def _typed_rows(request: HttpRequest) -> list[dict[str, Any]]:
    """What was typed, so that a refusal loses nothing."""
    found_rows = []
    for row in tests_given(request.POST):
        marks = {"action": " !!", "tolerance": " !"}
        lines = [f"{c['text']}{marks.get(c['verdict'], '')}" for c in row["choices"]]
        found_rows.append({**row, "choices": "\n".join(lines)})
    return found_rows


def _save(request: HttpRequest, one: Protocol | None, data: dict[str, Any]) -> Protocol:
    given = {
        "actor": actor(request),
        "tests": tests_given(request.POST),
        "name": data["name"],
        "instructions": data["instructions"],
        "request": request,
    }
    if one is None:
        device = data["device"]
        return protocols.create(
            device=device,
            device_model=None if device else data["device_model"],
            reason=data["reason"] or "first version",
            **given,
        )
    seen = request.POST.get("seen", "")
    number = int(seen) if seen.isdecimal() and len(seen) < 10 else None
    return protocols.revise(protocol=one, reason=data["reason"], seen=number, **given)


_STEPS = {
    "retire": (protocols.retire, "Retired: no more sessions, and its plans ask for none."),
    "reinstate": (protocols.reinstate, "It is in use again."),
}


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def protocol_step(request: HttpRequest, pk: int, step: str) -> HttpResponse:
    """Retire it, or undo that."""
    if step not in _STEPS:
        raise NotFoundError("step_not_found", "A protocol has no such step.")
    call, said = _STEPS[step]
    call(protocol=found.protocol(pk), actor=actor(request), request=request)
    messages.success(request, said)
    return redirect("quality:protocol", pk)


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def tie(request: HttpRequest, pk: int) -> HttpResponse:
    """Have a plan's orders ask for it."""
    one = found.protocol(pk)
    form = TieForm(request.POST, protocol=one)
    if not form.is_valid():
        messages.error(request, "Choose one of the plans.")
        return redirect("quality:protocol", pk)
    try:
        protocols.tie(protocol=one, actor=actor(request), request=request, **form.cleaned_data)
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, "Its orders ask for this protocol.")
    return redirect("quality:protocol", pk)


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def untie(request: HttpRequest, pk: int, link: int) -> HttpResponse:
    """The plan's orders ask for it no more."""
    protocols.untie(link=found.link(found.protocol(pk), link), actor=actor(request))
    messages.success(request, "Its orders ask for no session any more.")
    return redirect("quality:protocol", pk)
