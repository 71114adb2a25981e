"""What must be looked at next, and what was signed today."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.core.cache import cache
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_GET
from redis.exceptions import RedisError

from accounts.decorators import requires
from accounts.permissions import Can
from accounts.services import audit
from detection import selectors
from detection.models import WorklistItem
from detection.page_request import PageRequest
from detection.priority import in_words
from reading.queues import QUEUES, queues
from reading.selectors import open_help, saved_views, second_looks, signed_today
from reading.selectors_double import (
    ADJUDICATION,
    Marks,
    marks,
    not_for,
    not_offered,
    undecidable,
)
from reading.services.saved_views import KEPT
from reading.views_saved import address
from twinhealth.web.templatetags.house import url_with

PAGE_SIZE = 50
CAP = 99  # second looks are counted up to here
SHOWN_SECONDS = 15 * 60
FILTERS = ("show", "device", "trust", "label", "patient")
# chip, icon, label; the help text is `selectors.SHOW`'s
CHIPS = (
    ("", "clock", "now"),
    ("flagged", "act", "flagged"),
    ("unread", "watch", "not read or doubted"),
    ("gate", "refused", "refused by gate"),
    ("overdue", "clock", "waited long"),
    ("mine", "lock", "mine"),
    ("all", "list", "all unsigned"),
)
QUEUE_CHIPS = (
    ("help", "comment", "help"),
    ("second_reading", "people", "second reading"),
    ("adjudication", "book", "adjudication"),
)


@require_GET
@requires(Can.WORKLIST_READ)
def worklist(request: PageRequest) -> HttpResponse:
    """What must I look at next."""
    if request.GET.get("show") == "signed":
        return _signed(request)
    if request.GET.get("show") == "second_look":
        return _second_looks(request)
    views = list(saved_views(request.user))
    if not request.GET and (first := next((v for v in views if v.is_default), None)):
        return redirect(address(first))
    here = {key: request.GET[key] for key in KEPT if request.GET.get(key)}
    context = _worklist_context(request)
    context["views"] = [
        {
            "pk": view.pk,
            "name": view.name,
            "is_default": view.is_default,
            "url": address(view),
            "on": {"show": "now", **view.query} == here,
        }
        for view in views
    ]
    audit.record(
        actor=request.user,
        verb="listed",
        obj=WorklistItem(),
        request=request,
        detail={"films": [row.image.pk for row in context["rows"]]},
    )
    return render(request, "reading/worklist.html", context)


@require_GET
@requires(Can.WORKLIST_READ)
def worklist_table(request: PageRequest) -> HttpResponse:
    """The table alone, asked for every 15 s; the audit sees what hasn't been shown yet."""
    context = _worklist_context(request)
    films = [row.image.pk for row in context["rows"]]
    if not _shown_lately(request, films):
        audit.record(
            actor=request.user,
            verb="listed",
            obj=WorklistItem(),
            request=request,
            detail={"films": films},
        )
    return render(request, "reading/parts/worklist_table.html", context)


def _shown_lately(request: PageRequest, films: list[int]) -> bool:
    """Whether this sign-in saw exactly these films a moment ago; without a cache: no."""
    digest = hashlib.sha256(repr((request.session.session_key, sorted(films))).encode())
    try:
        return not cache.add(f"worklist-shown:{digest.hexdigest()}", 1, SHOWN_SECONDS)
    except (RedisError, OSError):
        return False


def _worklist_context(request: PageRequest) -> dict[str, Any]:
    filters = {key: request.GET[key] for key in FILTERS if request.GET.get(key)}
    if filters.get("show") == "now":
        del filters["show"]
    show = filters.get("show", "")
    closed = not_for(request.user)
    calls = {call.image_id: call for call in open_help().exclude(image_id__in=closed)}
    twice = marks()
    queue = queues(request.user).get(show)
    # what one has skipped isn't offered, but is found where one looks for it
    left_out = closed if show else not_offered(request.user)
    found = selectors.worklist(
        user=request.user,
        filters=filters | ({} if queue is None else {"show": "all"}),
        ordering=request.GET.get("ordering", ""),
        page=request.GET.get("page", 1),
        page_size=PAGE_SIZE,
        only=queue,
        leave_out=left_out if queue is None else None,
        uncounted=closed,
    )
    query = request.GET.urlencode()
    return {
        "rows": found.rows,
        "lines": [
            (row, calls.get(row.image.pk), twice.of(row.image.pk, request.user))
            for row in found.rows
        ],
        "undecidable": undecidable(twice.adjudication) if show == ADJUDICATION else 0,
        "page_obj": found.page,
        "counts": {"now": found.counts[""], **found.counts},
        "oldest_since": found.oldest_since,
        "reading_now": found.reading_now,
        "as_of": found.as_of,
        "filtered": bool(filters),
        "chips": _chips(request, found.counts | _queued(calls, twice), found.ceiling),
        "table_url": reverse("reading:worklist-table") + (f"?{query}" if query else ""),
    }


def _queued(calls: Mapping[int, object], twice: Marks) -> dict[str, int]:
    return {
        "help": len(calls),
        "second_reading": len(twice.second),
        "adjudication": len(twice.adjudication),
    }


def _chips(
    request: PageRequest, counts: dict[str, int], ceiling: timedelta | None = None
) -> list[dict[str, Any]]:
    said = {"overdue": f"waited past {in_words(ceiling)}"} if ceiling else {}
    show = request.GET.get("show", "")
    show = "" if show == "now" else show
    chips = [
        {
            "label": label,
            "icon": icon,
            "count": counts.get(key),
            "on": show == key,
            "url": url_with(request, show=key or "now", ordering=None),
            "help": said.get(key, selectors.SHOW[key]),
        }
        for key, icon, label in CHIPS
    ]
    chips += [
        {
            "label": label,
            "icon": icon,
            "count": counts.get(key),
            "on": show == key,
            "url": url_with(request, show=key, ordering=None),
            "help": QUEUES[key],
        }
        for key, icon, label in QUEUE_CHIPS
    ]
    chips.append(
        {
            "label": "second look",
            "icon": "eye",
            "count": second_looks()[: CAP + 1].count(),
            "on": show == "second_look",
            "url": "?show=second_look",
            "help": "signed films where detector and reader disagree, and a sample of the rest",
        }
    )
    reduced = request.GET.get("trust") == "reduced"
    chips.append(
        {
            "label": "reduced trust",
            "icon": "trust-reduced",
            "count": None,
            "on": reduced,
            "url": url_with(request, trust=None if reduced else "reduced"),
            "help": "machine needed action at the exposure; narrows the other filters",
        }
    )
    chips.append(
        {
            "label": "signed today",
            "icon": "signed",
            "count": None,
            "on": show == "signed",
            "url": "?show=signed",
            "help": "signed since midnight",
        }
    )
    chips.append(
        {
            "label": "label next",
            "icon": "chip",
            "count": None,
            "on": False,
            "url": reverse("reading:label-next"),
            "help": "films whose boxes would teach the detector most",
        }
    )
    chips.append(
        {
            "label": "agreement",
            "icon": "check",
            "count": None,
            "on": False,
            "url": reverse("reading:agreement"),
            "help": "how often the detector and the signatures agree",
        }
    )
    return chips


def _signed(request: PageRequest) -> HttpResponse:
    found = Paginator(signed_today(), PAGE_SIZE).get_page(request.GET.get("page"))
    audit.record(
        actor=request.user,
        verb="listed",
        obj=WorklistItem(),
        request=request,
        detail={"films": [signature.image_id for signature in found]},
    )
    context = {"page_obj": found, "as_of": timezone.now(), "chips": _chips(request, {})}
    return render(request, "reading/signed.html", context)


def _second_looks(request: PageRequest) -> HttpResponse:
    found = Paginator(second_looks(), PAGE_SIZE).get_page(request.GET.get("page"))
    audit.record(
        actor=request.user,
        verb="listed",
        obj=WorklistItem(),
        request=request,
        detail={"films": [signature.image_id for signature in found]},
    )
    context = {"page_obj": found, "as_of": timezone.now(), "chips": _chips(request, {})}
    return render(request, "reading/second_look.html", context)
