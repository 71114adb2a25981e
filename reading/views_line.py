"""Skip, help, urgency, second look: a panel of the film page; the worklist posts here too."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from detection.forms import cleaned
from detection.page_request import PageRequest
from imaging.models import Urgency
from reading.forms_line import AnswerForm, ReasonForm, SecondLookForm, UrgencyForm
from reading.going_on import go, next_film
from reading.selectors import help_image, line_of
from reading.selectors_double import standing
from reading.services import line as services
from reading.services import second_look as second_looks
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of


@require_GET
@requires(Can.FINDING_REVIEW)
def line(request: PageRequest, image_id: int) -> HttpResponse:
    """The panel as it is now."""
    return _panel(request, image_id)


@require_POST
@requires(Can.FINDING_REVIEW)
def skip(request: PageRequest, image_id: int) -> HttpResponse:
    """Back to the line; from the film page on to the next film."""

    def act() -> None:
        reason = cleaned(ReasonForm(request.POST))["reason"]
        services.skip(image_id=image_id, user=request.user, reason=reason, request=request)

    return _after(request, image_id, act, leave=True)


@require_POST
@requires(Can.FINDING_REVIEW)
def ask_help(request: PageRequest, image_id: int) -> HttpResponse:
    """Ask the other readers; from the film page on to the next film."""

    def act() -> None:
        reason = cleaned(ReasonForm(request.POST))["reason"]
        services.ask_help(image_id=image_id, user=request.user, reason=reason, request=request)

    return _after(request, image_id, act, leave=True)


@require_POST
@requires(Can.FINDING_REVIEW)
def answer_help(request: PageRequest, help_id: int) -> HttpResponse:
    """Another reader answers."""

    def act() -> None:
        answer = cleaned(AnswerForm(request.POST))["answer"]
        services.answer_help(help_id=help_id, user=request.user, answer=answer, request=request)

    return _after(request, help_image(help_id), act)


@require_POST
@requires(Can.FINDING_REVIEW)
def withdraw_help(request: PageRequest, help_id: int) -> HttpResponse:
    """Take one's own call back."""
    return _after(
        request,
        help_image(help_id),
        lambda: services.withdraw_help(help_id=help_id, user=request.user, request=request),
    )


@require_POST
@requires(Can.FINDING_REVIEW)
def urgency(request: PageRequest, image_id: int) -> HttpResponse:
    """Say how soon the film is wanted."""

    def act() -> None:
        data = cleaned(UrgencyForm(request.POST))
        services.set_urgency(image_id=image_id, user=request.user, request=request, **data)

    return _after(request, image_id, act)


@require_POST
@requires(Can.FINDING_REVIEW)
def second_look(request: PageRequest, image_id: int) -> HttpResponse:
    """Say whether another reader's signature holds."""

    def act() -> None:
        data = cleaned(SecondLookForm(request.POST))
        second_looks.look_again(
            image_id=image_id,
            user=request.user,
            agrees=data["agrees"] == "yes",
            reason=data["reason"],
            request=request,
        )

    return _after(request, image_id, act)


def _after(
    request: PageRequest, image_id: int, act: Callable[[], object], *, leave: bool = False
) -> HttpResponse:
    try:
        act()
    except DomainError as error:
        if not request.htmx:
            raise
        return _panel(request, image_id, error)
    if not request.htmx:
        return redirect("reading:worklist") if leave else redirect("reading:film", image_id)
    if not leave:
        return _panel(request, image_id)
    return go(request, next_film(request, image_id))


def _panel(request: PageRequest, image_id: int, error: DomainError | None = None) -> HttpResponse:
    context: dict[str, Any] = line_of(image_id)
    double = standing(image=context["image"], user=request.user, signature=context["signature"])
    if context["call"] and double.since and context["call"].at <= double.since:
        context["call"] = None
    context |= {
        "image_id": image_id,
        "double": double,
        "urgencies": Urgency.choices,
        "error": error,
    }
    answer = render(request, "reading/parts/line.html", context)
    if error:
        answer.status_code = status_of(error)
        answer["X-Swap-Error"] = "yes"
    return answer
