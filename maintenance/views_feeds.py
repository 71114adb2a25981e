"""The calendar for other programs, and the page on which people make and revoke its addresses."""

from __future__ import annotations

import hashlib
from typing import Any, cast

from django.contrib import messages
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import quote_etag
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from accounts import ratelimit
from accounts.address import remote_address
from accounts.decorators import requires
from accounts.models import User
from accounts.permissions import Can
from twinhealth.errors import DomainError, NotFoundError, TooManyRequestsError
from twinhealth.web.errors import status_of

from . import selectors_feeds as selectors
from .ical import calendar
from .models import CalendarFeed, FeedScope
from .services import feeds

PER_MINUTE = 20  # readings of one address; calendars ask a few times an hour


def address(request: HttpRequest, token: str) -> str:
    """What a calendar program subscribes to."""
    return request.build_absolute_uri(reverse("maintenance:feed", args=[token]))


@requires(Can.ANYONE)
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The calendar of a token; 404 where it is forged or revoked, alike."""
    try:
        found = feeds.open_by(token)
    except NotFoundError:
        # one address can't try tokens without end
        ratelimit.take(what="calendar", username="feed", address=remote_address(request))
        raise
    _limit(found)
    site = request.build_absolute_uri("/").rstrip("/")
    text = calendar(
        f"Maintenance: {found.name}", selectors.events(found, now=timezone.now(), site=site)
    )
    etag = quote_etag(hashlib.sha256(text.encode()).hexdigest())
    response = HttpResponse(text, content_type="text/calendar; charset=utf-8")
    response["ETag"] = etag
    response["Content-Disposition"] = 'inline; filename="maintenance.ics"'
    patch_cache_control(response, private=True, no_cache=True)
    # no one who is told of the address should pass it on
    response["Referrer-Policy"] = "no-referrer"
    return get_conditional_response(request, etag=etag, response=response) or response


def _limit(found: CalendarFeed) -> None:
    minute = int(timezone.now().timestamp() // 60)
    key = f"calendar-feed:{found.pk}:{minute}"
    cache.add(key, 0, timeout=120)
    try:
        times = cache.incr(key)
    except ValueError:  # thrown out of the cache in between
        return
    if times > PER_MINUTE:
        raise TooManyRequestsError(
            "too_many_requests", "Read this calendar again in a minute.", retry_after=60
        )


@requires(Can.MAINTENANCE_READ)
@require_http_methods(["GET", "HEAD", "POST"])
def feed_list(request: HttpRequest) -> HttpResponse:
    """A person's own calendars; a new one's address is shown once."""
    user = cast("User", request.user)
    context: dict[str, Any] = {"scopes": FeedScope.choices, "name": "", "scope": FeedScope.OWN}
    status = 200
    if request.method == "POST":
        context["name"] = request.POST.get("name", "")[:200]
        context["scope"] = request.POST.get("scope", FeedScope.OWN)
        try:
            made, token = feeds.make(
                user=user, name=context["name"], scope=context["scope"], request=request
            )
        except DomainError as error:
            context["error"], status = error, status_of(error)
        else:
            context |= {"made": made, "address": address(request, token), "name": ""}
            status = 201
    context["feeds"] = selectors.feeds(user)
    response = render(request, "maintenance/feeds.html", context, status=status)
    patch_cache_control(response, no_store=True)
    return response


@requires(Can.MAINTENANCE_READ)
@require_POST
def feed_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """The address answers no more."""
    feeds.revoke(user=cast("User", request.user), pk=pk, request=request)
    messages.success(request, "Revoked: this address answers no more.")
    return redirect("maintenance:feeds")
