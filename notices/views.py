"""Pages of a person's own notices, and the digest."""

from __future__ import annotations

from urllib.parse import urlencode

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET, require_POST

from accounts.decorators import requires
from accounts.permissions import Can, may
from devices import moments
from devices.notice_kinds import kind as kind_of
from devices.views import actor
from twinhealth.errors import InvalidInputError

from . import selectors
from .services import reading

PAGE = 50


@require_GET
@requires(Can.MAINTENANCE_READ)
def notices(request: HttpRequest) -> HttpResponse:
    """What the person was told, newest first."""
    user = actor(request)
    show, key = request.GET.get("show", ""), request.GET.get("kind", "")
    mine = selectors.kinds_for(user)
    chosen = selectors.NoticeFilter(
        show=show if show in {"unread", "over"} else "",
        kind=key if key in {kind.key for kind in mine} else "",
    )
    page = Paginator(chosen.rows(user), PAGE).get_page(request.GET.get("page"))
    labels = {kind.key: kind.label for kind in mine}
    context = {
        "page_obj": page,
        "rows": [(row, labels[row.kind]) for row in page],
        "chosen": chosen,
        "kinds": mine,
        "unread": selectors.unread(user).count(),
        "can_plan": may(user, Can.MAINTENANCE_PLAN),
        "undo": request.GET.get("marked", "")[:40],
    }
    return render(request, "notices/list.html", context)


def _back(request: HttpRequest, **more: str) -> HttpResponse:
    """To the list, filtered as it was."""
    asked = {name: request.POST.get(name, "")[:40] for name in ("show", "kind")}
    query = urlencode({name: value for name, value in {**asked, **more}.items() if value})
    return redirect(f"{reverse('notices:list')}{'?' if query else ''}{query}")


@require_POST
@requires(Can.MAINTENANCE_READ)
def read_all(request: HttpRequest) -> HttpResponse:
    """All, or all of a kind, are read; it can be undone."""
    key = request.POST.get("kind", "")
    count, at = reading.mark_all(user=actor(request), kind=key if kind_of(key) else "")
    return _back(request, marked=at.isoformat() if count else "")


@require_POST
@requires(Can.MAINTENANCE_READ)
def undo(request: HttpRequest) -> HttpResponse:
    """Those marked at a moment are unread again."""
    try:
        at = moments.moment(request.POST.get("at", "")[:40])
    except InvalidInputError:
        messages.error(request, "Nothing to take back.")
    else:
        count = reading.undo(user=actor(request), at=at)
        messages.success(request, f"{count} unread again.")
    return _back(request)


@require_POST
@requires(Can.MAINTENANCE_READ)
def read_one(request: HttpRequest, pk: int) -> HttpResponse:
    """One is read, or unread again."""
    reading.mark(user=actor(request), pk=pk, read=request.POST.get("unread") is None)
    return _back(request)


@require_GET
@requires(Can.MAINTENANCE_READ)
def digest(request: HttpRequest) -> HttpResponse:
    """The digest as of now; it can be printed."""
    now = timezone.now()
    text = selectors.digest_now(actor(request), now)
    return render(request, "notices/digest.html", {"text": text, "now": now})
