"""Pages of critical results and on-call lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from http import HTTPStatus

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from accounts.services import audit
from detection.forms import cleaned
from detection.page_request import PageRequest
from reading import selectors_critical as selectors
from reading.forms import CriticalForm, OnCallForm
from reading.models import CriticalResult, OnCallList
from reading.services import critical, on_call
from twinhealth.errors import DomainError, InvalidInputError
from twinhealth.web.errors import status_of

SHOWN = 100


@require_GET
@requires(Can.FINDING_REVIEW)
def results(request: PageRequest) -> HttpResponse:
    """What nobody has acknowledged yet, and how long others took."""
    return _page(request)


def _page(
    request: PageRequest, *, pk: int = 0, said: str = "", error: DomainError | None = None
) -> HttpResponse:
    waiting = list(selectors.open_results())
    done = list(selectors.acknowledged()[:SHOWN])
    audit.record(
        actor=request.user,
        verb="listed",
        obj=CriticalResult,
        request=request,
        detail={"results": [row.pk for row in [*waiting, *done]]},
    )
    context = {"waiting": waiting, "done": done, "now": timezone.now()}
    context |= {"refused": pk, "said": said, "error": error}
    status = status_of(error) if error else HTTPStatus.OK
    return render(request, "reading/critical.html", context, status=status)


@require_POST
@requires(Can.FINDING_REVIEW)
def report(request: PageRequest, image_id: int) -> HttpResponse:
    """Mark a film critical; the answer is the page of open results."""

    def act() -> None:
        data = cleaned(CriticalForm(request.POST))
        critical.report(image_id=image_id, user=request.user, request=request, **data)

    return _after(request, act, "The first person of the list has been told.")


@require_POST
@requires(Can.FINDING_REVIEW)
def acknowledge(request: PageRequest, pk: int) -> HttpResponse:
    """Repeat a result and take it over."""
    said = request.POST.get("read_back", "")

    def act() -> None:
        critical.acknowledge(result_id=pk, user=request.user, read_back=said, request=request)

    try:
        return _after(request, act, "Acknowledged.", but=InvalidInputError)
    except InvalidInputError as error:  # what was said stays, to be completed
        return _page(request, pk=pk, said=said, error=error)


@require_POST
@requires(Can.FINDING_REVIEW)
def cancel(request: PageRequest, pk: int) -> HttpResponse:
    """Take one's own result back."""
    reason = request.POST.get("reason", "")

    def act() -> None:
        critical.cancel(result_id=pk, user=request.user, reason=reason, request=request)

    return _after(request, act, "Cancelled.")


@require_http_methods(["GET", "POST"])
@requires(Can.USER_ADMIN)
def on_call_lists(request: PageRequest) -> HttpResponse:
    """Who must know, in which order."""
    lists = selectors.lists()
    form = OnCallForm(request.POST or None, initial=_written(lists, request.GET.get("list", "")))
    if request.method == "POST" and form.is_valid():
        data = form.cleaned_data
        try:
            on_call.save(
                name=data["name"], people=data["people"], user=request.user, request=request
            )
        except DomainError as error:
            form.add_error(None, error.message)
        else:
            return redirect("reading:on-call")
    context = {"form": form, "lists": lists}
    status = 400 if form.is_bound else 200
    return render(request, "reading/on_call.html", context, status=status)


def _written(lists: Iterable[OnCallList], number: str) -> dict[str, str]:
    """The list of that number as its form takes it; empty where there is none."""
    for found in lists:
        if str(found.pk) == number:
            steps = [f"{step.user.username} {step.minutes}" for step in found.steps.all()]
            return {"name": found.name, "people": "\n".join(steps)}
    return {}


def _after(
    request: PageRequest,
    act: Callable[[], None],
    said: str,
    *,
    but: type[DomainError] | tuple[()] = (),
) -> HttpResponse:
    try:
        act()
    except but:
        raise
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return redirect("reading:critical")
