"""What was told to whom, and how that went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q, QuerySet

from accounts.models import User
from accounts.permissions import Can, may
from devices.models import Device, Notification, Webhook
from devices.models.notification import Channel, News, SendState


@dataclass(frozen=True, slots=True)
class DeliveryFilter:
    """What the list of deliveries can be narrowed by; empty means all."""

    state: str = ""
    channel: str = ""
    alert: int | None = None
    device: int | None = None
    room: str = ""
    start: datetime | None = None
    end: datetime | None = None


def seen_by(viewer: User) -> Q:
    """What a person may look at: of letters the own alone, unless they plan maintenance."""
    if may(viewer, Can.MAINTENANCE_PLAN):
        return Q()
    return ~Q(news=News.LETTER) | Q(user=viewer)


def deliveries(chosen: DeliveryFilter, viewer: User) -> QuerySet[Notification]:
    """Notifications with what a row shows, newest first."""
    found = Notification.objects.select_related("alert__device", "user", "webhook")
    found = found.filter(seen_by(viewer))
    if chosen.state in SendState.values:
        found = found.filter(state=chosen.state)
    if chosen.channel in Channel.values:
        found = found.filter(channel=chosen.channel)
    if chosen.alert is not None:
        found = found.filter(alert=chosen.alert)
    if chosen.device is not None:
        found = found.filter(alert__device=chosen.device)
    if chosen.room:
        found = found.filter(alert__device__location=chosen.room)
    if chosen.start is not None:
        found = found.filter(created_at__gte=chosen.start)
    if chosen.end is not None:
        found = found.filter(created_at__lt=chosen.end)
    return found.order_by("-created_at", "-pk")


def unread(user: User) -> QuerySet[Notification]:
    """Lines in the app that the person hasn't seen."""
    return Notification.objects.filter(
        user=user, channel=Channel.IN_APP, state=SendState.SENT, read_at=None
    )


def lines(user: User) -> QuerySet[Notification]:
    """The person's lines in the app, newest first."""
    return (
        Notification.objects.filter(user=user, channel=Channel.IN_APP, state=SendState.SENT)
        .select_related("alert__device")
        .order_by("-created_at", "-pk")
    )


def of_webhook(hook: Webhook, limit: int = 10) -> list[Notification]:
    """What a program was told last, newest first."""
    found = Notification.objects.filter(webhook=hook).select_related("alert__device", "webhook")
    return list(found.order_by("-created_at", "-pk")[:limit])


def webhooks() -> QuerySet[Webhook]:
    """All, those switched off too."""
    return Webhook.objects.select_related("created_by").order_by("name")


def rooms() -> list[str]:
    """Names of all rooms that have a machine."""
    found = Device.objects.exclude(location="").order_by("location")
    return list(found.values_list("location", flat=True).distinct())
