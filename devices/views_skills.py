"""Page of skills: who is able to do what."""

from __future__ import annotations

from http import HTTPStatus

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from accounts.decorators import requires
from accounts.permissions import Can
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

from .forms_skills import SkillForm
from .selectors import order_people as selectors
from .services import skills as services
from .views_maintenance import actor, rights

PAGE = 50


@requires(Can.MAINTENANCE_READ)
@require_safe
def skills(request: HttpRequest) -> HttpResponse:
    """All of them, and those that orders ask for but nobody has."""
    return _page(request, SkillForm(), HTTPStatus.OK)


def _page(request: HttpRequest, form: SkillForm, status: int) -> HttpResponse:
    asked = request.GET.get("skill", "")[:64]
    found = selectors.skills()
    if asked:
        found = found.filter(name__iexact=asked)
    context = {
        "form": form,
        "asked": asked,
        "page_obj": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "wanting": selectors.wanting(),
        "today": timezone.localdate(),
        **rights(request),
    }
    return render(request, "devices/skills.html", context, status=status)


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def skill_give(request: HttpRequest) -> HttpResponse:
    """Somebody is able to do it from now on, or until another day."""
    form = SkillForm(request.POST)
    if not form.is_valid():
        return _page(request, form, HTTPStatus.BAD_REQUEST)
    try:
        given = services.give(actor=actor(request), request=request, **form.cleaned_data)
    except DomainError as error:
        form.add_error(None, error.message)
        return _page(request, form, status_of(error))
    messages.success(request, f"{given.person}: {given.name}.")
    return redirect("devices:skills")


@requires(Can.MAINTENANCE_PLAN)
@require_POST
def skill_take(request: HttpRequest, pk: int) -> HttpResponse:
    """Somebody isn't able to do it any more."""
    found = services.get(pk)
    services.take(skill=found, actor=actor(request), request=request)
    messages.success(request, f"{found.person} doesn't have {found.name} any more.")
    return redirect("devices:skills")
