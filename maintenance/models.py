"""When machines are needed, and who reads the calendar from another program."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class CoveredHours(models.Model):
    """The hours of a week in which a machine is needed; without a machine, the hospital's own."""

    device = models.OneToOneField(
        "devices.Device", models.CASCADE, null=True, blank=True, related_name="covered_hours"
    )
    is_default = models.BooleanField(default=False)
    # seven days, Monday first; each a list of [from, to) in minutes of the hospital's day
    week = models.JSONField()
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(device=None, is_default=True)
                | Q(device__isnull=False, is_default=False),
                name="covered_hours_default_has_no_device",
            ),
            # one row with a machine is unique by its key; this is for the one without
            models.UniqueConstraint(
                fields=["is_default"], condition=Q(device=None), name="covered_hours_one_default"
            ),
        ]

    def __str__(self) -> str:
        return str(self.device) if self.device_id else "hospital"


class FeedScope(models.TextChoices):
    """Whose orders a calendar holds."""

    OWN = "own", "my orders"
    ALL = "all", "all orders"


class CalendarFeed(models.Model):
    """An address under which another program reads orders; its secret is kept as a hash alone."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="calendar_feeds"
    )
    name = models.CharField(max_length=64)
    scope = models.CharField(max_length=8, choices=FeedScope.choices, default=FeedScope.OWN)
    digest = models.CharField(max_length=64, unique=True)  # SHA-256 of the token, hex
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = [
            models.Index(fields=["user"], condition=Q(revoked_at=None), name="feed_live_of_user")
        ]

    def __str__(self) -> str:
        return self.name
