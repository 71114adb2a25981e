"""Pages of the fleet: table, tiles, the board on the wall, CSV."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import patch_vary_headers
from django.views.decorators.http import require_GET

from accounts.decorators import requires
from accounts.permissions import Can, may
from devices import exports, spans
from devices.selectors import board
from devices.selectors import fleet as fleet_selectors
from devices.selectors import twin as twin_selectors
from devices.selectors.wall import wall as wall_selector
from twinhealth.web import badges

VIEWS = ("tiles", "table")
TILES_ABOVE = 25  # machines: unless somebody chose, more than so many are shown as tiles
ROWS_PER_PAGE = 50
YEAR = 365 * 86_400
WALL_ROWS, WALL_ROWS_MOST = 7, 20
ROTATE_MOST = 600


def _chosen(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET.get(name, "") for name in ("state", "room", "q", "ordering", "group")}


def _found(chosen: dict[str, str]) -> fleet_selectors.Fleet:
    return fleet_selectors.fleet(
        at=timezone.now(),
        state=chosen["state"],
        room=chosen["room"],
        q=chosen["q"].strip()[:64],
        ordering=chosen["ordering"] or "state",
        brief=True,
    )


def _remembered(request: HttpRequest) -> str:
    # people share the browsers of a workshop, so the cookie names whose choice it is
    return f"fleet-view-{request.user.pk}"


def _part(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    """A part that is asked for again and again: 304 while it says the same."""
    response = render(request, template, context)
    tag = f'"{hashlib.sha256(response.content).hexdigest()[:32]}"'
    if request.headers.get("If-None-Match") == tag:
        return HttpResponseNotModified(headers={"ETag": tag})
    response.headers["ETag"] = tag
    response.headers["Cache-Control"] = "no-store"
    return response


@require_GET
@requires(Can.DEVICE_HEALTH)
def fleet(request: HttpRequest) -> HttpResponse:
    """Which machine needs somebody, worst first; `?view=tiles|table` is kept for this person."""
    chosen = _chosen(request)
    found = _found(chosen)
    total = sum(found.counts.values())
    asked = request.GET.get("view", "")
    kept = asked if asked in VIEWS else request.COOKIES.get(_remembered(request), "")
    view = kept if kept in VIEWS else "tiles" if total > TILES_ABOVE else "table"
    context: dict[str, Any] = {
        "fleet": found,
        "chosen": chosen,
        "now": timezone.now(),
        "total": total,
        "view": view,
        "zone": timezone.get_current_timezone_name(),
        "reduced": not may(request.user, Can.DEVICE_READ),
        "re_reads": badges.badge("reading:re-reads", request.user),
    }
    if view == "tiles":
        context["synthetic"] = sum(row.device.is_synthetic for row in found.rows)
        context["sections"] = board.sections(found.rows, chosen["group"])
        context["group"] = chosen["group"] if chosen["group"] in board.GROUPINGS else "state"
        context["worded"] = context["group"] != "state"
    else:
        context["page_obj"] = Paginator(found.rows, ROWS_PER_PAGE).get_page(request.GET.get("page"))
    if getattr(request, "htmx", False):
        response = _part(request, "devices/parts/fleet_body.html", context)
    else:
        response = render(request, "devices/fleet.html", context)
        if asked in VIEWS:
            response.set_cookie(
                _remembered(request),
                asked,
                max_age=YEAR,
                httponly=True,
                samesite="Lax",
                secure=request.is_secure(),
            )
    patch_vary_headers(response, ["HX-Request"])
    return response


def _number(text: str, default: int, most: int) -> int:
    return min(max(int(text[:6]), 0), most) if text.isdecimal() else default


@require_GET
@requires(Can.DEVICE_READ)
def wall(request: HttpRequest) -> HttpResponse:
    """The board on the wall; `?room=` (repeatedly), `?rows=`, `?rotate=` seconds, `?theme=`."""
    now = timezone.now()
    rooms = [room for room in request.GET.getlist("room") if room][:50]
    found = wall_selector(at=now, rooms=rooms)
    rows = max(_number(request.GET.get("rows", ""), WALL_ROWS, WALL_ROWS_MOST), 1)
    rotate = _number(request.GET.get("rotate", ""), 0, ROTATE_MOST)
    context = {
        "wall": found,
        "now": now,
        "rows": rows,
        "rotate": max(rotate, 5) if rotate else 0,
        "pages": -(-len(found.rows) // rows),
        "more_act": sum(row.health.state == "act" for row in found.rows[rows:]),
        "more": max(len(found.rows) - rows, 0),
        "light": request.GET.get("theme") == "light",
        "zone": timezone.get_current_timezone_name(),
    }
    if getattr(request, "htmx", False):
        return _part(request, "devices/parts/wall_body.html", context)
    return render(request, "devices/wall.html", context)


@require_GET
@requires(Can.DEVICE_READ)
def fleet_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The table under its filters, all pages, as CSV."""
    return exports.fleet(_found(_chosen(request)).rows, now=timezone.now())


@require_GET
@requires(Can.DEVICE_READ)
def readings_csv(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """What the charts of a machine show, as CSV: `?from=`, `?to=`, `?resolution=`, `?metric=`."""
    zone = timezone.get_current_timezone()
    return exports.readings(
        device=twin_selectors.get(pk),
        span=spans.asked(request.GET.dict(), now=timezone.now(), zone=zone),
        resolution=request.GET.get("resolution", ""),
        keys=request.GET.getlist("metric"),
    )
