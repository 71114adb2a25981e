"""What the pages of this room share: rights, one kind of form page, one kind of small step."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render

from accounts import csvsafe
from devices.fields import row_ids
from devices.views_maintenance import actor, back, rights
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of

__all__ = [
    "PAGE",
    "actor",
    "back",
    "csv_answer",
    "first_id",
    "form_page",
    "rights",
    "step",
    "valid",
]

PAGE = 50


def first_id(text: str) -> int | None:
    """The number of a row in an address; `None` where it can't be one."""
    return next(iter(row_ids([text])), None)


def form_page(
    request: HttpRequest,
    form: forms.Form,
    save: Callable[[dict[str, Any]], Any],
    *,
    heading: str,
    crumbs: list[tuple[str, str]],
    done: Callable[[Any], tuple[str, str]],
    template: str = "inventory/form.html",
    **context: Any,
) -> HttpResponse:
    """A form, or what came of it.

    Args:
        request: GET shows the form, POST saves.
        form: bound on POST.
        save: does it, with the cleaned data.
        heading: of the page.
        crumbs: (address, name) of the pages above.
        done: of what was saved: where to go, and what to say.
        template: another page.
        context: more for the page.
    """
    status = 200
    if request.method == "POST":
        status = 400
        if form.is_valid():
            try:
                saved = save(form.cleaned_data)
            except DomainError as error:
                status = status_of(error)
                field = error.extra.get("field")
                form.add_error(field if field in form.fields else None, error.message)
            else:
                where, said = done(saved)
                messages.success(request, said)
                return redirect(where)
    context |= {"form": form, "heading": heading, "crumbs": crumbs, **rights(request)}
    return render(request, template, context, status=status)


def step(request: HttpRequest, do: Callable[[], Any], *, said: str, default: str, pk: int) -> Any:
    """One step of a thing; back to the page that it came from."""
    try:
        do()
    except DomainError as error:
        messages.error(request, error.message)
    else:
        messages.success(request, said)
    return back(request, default, pk)


def valid(request: HttpRequest, form: forms.Form) -> bool:
    """Whether a small form is; if not, what is wrong is said on the next page."""
    if form.is_valid():
        return True
    field, found = next(iter(form.errors.items()))
    label = form.fields[field].label if field in form.fields else ""
    messages.error(request, f"{label or field}: {found[0]}")
    return False


def csv_answer(
    header: Iterable[str], rows: Iterable[Iterable[Any]], name: str
) -> StreamingHttpResponse:
    """A file, streamed, in which no cell is computed."""
    response = StreamingHttpResponse(
        csvsafe.stream(header, rows), content_type="text/csv; charset=utf-8"
    )
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.")[:80] or "export"
    response.headers["Content-Disposition"] = f'attachment; filename="{safe}.csv"'
    response.headers["Cache-Control"] = "no-store"
    return response
