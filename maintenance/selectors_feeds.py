"""The orders that a calendar feed holds."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Count, Max, Q, QuerySet
from django.urls import reverse
from django.utils import timezone

from accounts.models import User
from devices.models import WorkOrder
from devices.models.maintenance import OrderState

from .ical import Event
from .models import CalendarFeed, FeedScope

PAST, AHEAD = timedelta(days=90), timedelta(days=400)
CANCELLED_FOR = timedelta(days=60)  # long enough for a phone that was off
MOST = 2_000  # orders; those nearest to now win


def feeds(user: User) -> QuerySet[CalendarFeed]:
    """A person's live calendars, the newest first."""
    return CalendarFeed.objects.filter(user=user, revoked_at=None).order_by("-pk")


def _orders(feed: CalendarFeed, now: datetime) -> QuerySet[WorkOrder]:
    low, high = now - PAST, now + AHEAD
    dated = Q(scheduled_for__range=(low, high)) | Q(
        scheduled_for=None,
        due_on__range=(timezone.localdate(low), timezone.localdate(high)),
    )
    found = WorkOrder.objects.filter(dated)
    if feed.scope == FeedScope.OWN:
        found = found.filter(assigned_to=feed.user_id)
    return (
        found.select_related("device", "assigned_to")
        .annotate(steps=Count("events"), changed=Max("events__at"))
        .exclude(state=OrderState.CANCELLED, changed__lt=now - CANCELLED_FOR)
    )


def events(feed: CalendarFeed, *, now: datetime, site: str) -> list[Event]:
    """What the calendar holds, in one query.

    Neither an order's description nor its comments: people type there what they like.

    Args:
        feed: whose, and which orders.
        now: moves the window.
        site: scheme and host before an order's address; also the right half of its UID.
    """
    rows = list(_orders(feed, now).order_by("-pk")[:MOST])
    host = site.split("//", 1)[-1].split(":", 1)[0]
    return [_event(order, site, host) for order in sorted(rows, key=lambda row: row.pk)]


def _event(order: WorkOrder, site: str, host: str) -> Event:
    steps, changed = order.steps, order.changed  # type: ignore[attr-defined]
    who = str(order.assigned_to) if order.assigned_to else "nobody yet"
    due = f"Due {order.due_on:%Y-%m-%d}, grace {order.grace_days} days. " if order.due_on else ""
    synthetic = " Synthetic demonstration data." if order.is_synthetic else ""
    at = order.scheduled_for or order.due_on
    if at is None:
        raise AssertionError("the query asks for a date")  # pragma: no cover
    return Event(
        uid=f"work-order-{order.pk}@{host}",
        sequence=steps,
        changed=changed or order.created_at,
        at=at,
        summary=f"WO-{order.pk} {order.device.name}: {order.title}",
        description=f"{order.get_state_display()}, for {who}. {due}".strip() + synthetic,
        location=order.device.location,
        url=f"{site}{reverse('devices:order', args=[order.pk])}",
        cancelled=order.state == OrderState.CANCELLED,
    )
