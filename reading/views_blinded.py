"""First impressions of blinded readers, and the admins' page of reading groups."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from detection.forms import cleaned
from detection.page_request import PageRequest
from reading import selectors_blinded as selectors
from reading.forms import SignForm
from reading.forms_blinded import ReadingGroupForm
from reading.going_on import go
from reading.models import ReadingGroup
from reading.services import first_impressions, groups
from reading.views_film import panels
from twinhealth.errors import DomainError
from twinhealth.web.errors import status_of


@require_POST
@requires(Can.FINDING_REVIEW)
def first_impression(request: PageRequest, image_id: int) -> HttpResponse:
    """Commit one; the film comes again with what the model said."""
    try:
        data = cleaned(SignForm(request.POST))
        first_impressions.commit(
            image_id=image_id,
            user=request.user,
            conclusion=data["conclusion"],
            text=data["text"],
            request=request,
        )
    except DomainError as error:
        if not request.htmx:
            raise
        return panels(request, image_id, error=error, swapped="report")
    # the whole page: the model stands in its head and over its film too
    return go(request, reverse("reading:film", args=[image_id]))


@require_http_methods(["GET", "POST"])
@requires(Can.USER_ADMIN)
def reading_groups(request: PageRequest) -> HttpResponse:
    """Who reads blind: each group with its form, and one to make another."""
    if request.method == "GET":
        return render(request, "reading/reading_groups.html", _groups(None, ""))
    number = request.POST.get("group", "")
    number = number if number.isascii() and number.isdecimal() else ""
    form = ReadingGroupForm(request.POST, auto_id=_auto_id(number))
    status = 400
    if form.is_valid():
        data = form.cleaned_data
        try:
            groups.save(
                user=request.user,
                group_id=data["group"],
                name=data["name"],
                members=data["people"],
                blinded=data["blinded"],
                request=request,
            )
        except DomainError as error:
            form.add_error(None, error.message)
            status = status_of(error)
        else:
            return redirect("reading:reading-groups")
    context = _groups(form, number)
    return render(request, "reading/reading_groups.html", context, status=status)


def _groups(bound: ReadingGroupForm | None, number: str) -> dict[str, Any]:
    """The forms; the one that was refused keeps what was typed."""
    rows = [
        (group, bound if number == str(group.pk) and bound else _form_of(group))
        for group in selectors.groups()
    ]
    taken = bound is not None and any(form is bound for _, form in rows)
    new = bound if bound is not None and not taken else ReadingGroupForm(auto_id=_auto_id(""))
    return {"groups": rows, "form": new}


def _form_of(group: ReadingGroup) -> ReadingGroupForm:
    names = "\n".join(row.user.username for row in group.rows.all())
    return ReadingGroupForm(
        initial={"group": group.pk, "name": group.name, "people": names, "blinded": group.blinded},
        auto_id=_auto_id(str(group.pk)),
    )


def _auto_id(number: str) -> str:
    """Several forms stand on the page: each has ids of its own."""
    return f"id_{number or 'new'}_%s"
