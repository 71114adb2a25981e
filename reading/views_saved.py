"""Saved views of the worklist: save, rename, delete, open by itself."""

from __future__ import annotations

from urllib.parse import urlencode

from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from accounts.decorators import requires
from accounts.permissions import Can
from detection.page_request import PageRequest
from reading.models import SavedView
from reading.services import saved_views


@require_POST
@requires(Can.WORKLIST_READ)
def save(request: PageRequest) -> HttpResponse:
    """Keep the filters of the page one comes from; `query` is its address after the `?`."""
    query = QueryDict(request.POST.get("query", "")[:2000]).dict()
    view = saved_views.save(
        user=request.user,
        name=request.POST.get("name", ""),
        query={key: str(value) for key, value in query.items()},
        request=request,
    )
    return redirect(address(view))


@require_POST
@requires(Can.WORKLIST_READ)
def change(request: PageRequest, view_id: int) -> HttpResponse:
    """`act` says what: `rename` (with `name`), `delete`, `default`, `no_default`."""
    user, act = request.user, request.POST.get("act", "")
    if act == "delete":
        saved_views.delete(user=user, view_id=view_id, request=request)
        return redirect(reverse("reading:worklist") + "?show=now")
    if act in {"default", "no_default"}:
        view = saved_views.make_default(
            user=user, view_id=view_id, on=act == "default", request=request
        )
    else:
        name = request.POST.get("name", "")
        view = saved_views.rename(user=user, view_id=view_id, name=name, request=request)
    return redirect(address(view))


def address(view: SavedView) -> str:
    """Where a view opens; `show=now` where it names no chip, so that no default takes its place."""
    return f"{reverse('reading:worklist')}?{urlencode({'show': 'now', **view.query})}"
