"""A person's calendar addresses: made, read by a token, revoked."""

from __future__ import annotations

import hashlib
import re
import secrets
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from devices.plain_text import clean
from maintenance.models import CalendarFeed, FeedScope
from twinhealth.errors import ConflictError, InvalidInputError, NotFoundError

from . import AnyRequest

MAX_LIVE = 10  # addresses of one person
NOTED_TO_THE = timedelta(minutes=5)  # a row is not written for every reading
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


@transaction.atomic
def make(
    *, user: User, name: str, scope: str = FeedScope.OWN, request: AnyRequest = None
) -> tuple[CalendarFeed, str]:
    """A new address; the token beside the row (256 random bits) is shown once and kept nowhere.

    Raises:
        InvalidInputError: `name_missing`, `name_too_long`, `scope_unknown`.
        ConflictError: `too_many_feeds`.
    """
    name = clean(name, field="name", limit=64)
    if scope not in FeedScope.values:
        raise InvalidInputError("scope_unknown", "A calendar holds own orders or all.")
    User.objects.select_for_update(no_key=True).get(pk=user.pk)  # two at once are counted
    if CalendarFeed.objects.filter(user=user, revoked_at=None).count() >= MAX_LIVE:
        raise ConflictError(
            "too_many_feeds", f"At most {MAX_LIVE} calendars; revoke one first.", limit=MAX_LIVE
        )
    token = secrets.token_urlsafe(32)
    feed = CalendarFeed.objects.create(user=user, name=name, scope=scope, digest=_digest(token))
    audit.record(
        actor=user, verb="feed_made", obj=feed, request=request, detail={"scope": str(scope)}
    )
    return feed, token


@transaction.atomic
def revoke(*, user: User, pk: int, request: AnyRequest = None) -> None:
    """The address answers 404 from now on; revoking twice is no error.

    Raises:
        NotFoundError: `feed_not_found`, also where it is somebody else's.
    """
    feed = CalendarFeed.objects.select_for_update().filter(pk=pk, user=user).first()
    if feed is None:
        raise NotFoundError("feed_not_found", "There is no such calendar.")
    if feed.revoked_at is None:
        feed.revoked_at = timezone.now()
        feed.save(update_fields=["revoked_at"])
        audit.record(actor=user, verb="feed_revoked", obj=feed, request=request)


def open_by(token: str) -> CalendarFeed:
    """The feed of a token. It is found by its hash: a guess learns nothing from how long it takes.

    Raises:
        NotFoundError: `feed_not_found`: forged, revoked, or its person may read orders no more.
    """
    feed = None
    if _TOKEN.fullmatch(token):
        found = CalendarFeed.objects.select_related("user")
        feed = found.filter(digest=_digest(token), revoked_at=None).first()
    if feed is None or not may(feed.user, Can.MAINTENANCE_READ):
        raise NotFoundError("feed_not_found", "There is no such calendar.")
    now = timezone.now()
    if feed.read_at is None or feed.read_at < now - NOTED_TO_THE:
        CalendarFeed.objects.filter(pk=feed.pk).update(read_at=now)
    return feed
