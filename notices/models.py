"""What people were told of maintenance, what they chose, and what the house settled."""

from __future__ import annotations

from datetime import time

from django.conf import settings
from django.db import models
from django.db.models import Q

from devices.notice_kinds import MAX_OCCASION, Way

LONGEST_DAYS = 90  # until escalation, or on hold
LARGEST_AHEAD, MOST_AHEAD = 90, 5
ALERTING = (Way.IN_APP, Way.EMAIL)  # ways that count behind the bell


class Scope(models.TextChoices):
    """Of whose orders a person is told besides those that name them."""

    MINE = "mine", "my orders alone"
    ROOMS = "rooms", "my orders and those in my rooms"
    ALL = "all", "all orders"


class NoticeSettings(models.Model):
    """How one person is told; without a row, the defaults of the role.

    Attributes:
        ways: key of a kind -> how; a kind left out follows the role's default.
        ahead: so many days before an order is due.
        digest_at: by the hospital's clock.
        quiet_days: days of the week without e-mails, Monday 0.
        urgent_passes: what is urgent (an escalation) comes in quiet hours all the same.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="notice_settings"
    )
    ways = models.JSONField(default=dict, blank=True)
    ahead = models.JSONField(default=list, blank=True)
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.MINE)
    rooms = models.JSONField(default=list, blank=True)
    digest = models.BooleanField(default=True)
    digest_at = models.TimeField(default=time(7))
    digest_empty = models.BooleanField(default=False)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)
    quiet_days = models.JSONField(default=list, blank=True)
    urgent_passes = models.BooleanField(default=True)
    changed_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_to=None)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="notice_quiet_hours_have_two_ends",
                violation_error_message="Quiet hours have a begin and an end.",
            ),
            models.CheckConstraint(
                condition=Q(scope__in=Scope.values),
                name="notice_scope_is_known",
                violation_error_message="Of whose orders is one of three.",
            ),
        ]

    def __str__(self) -> str:
        return f"notice settings of {self.user_id}"


class NoticePolicy(models.Model):
    """One settled policy; the newest holds, and rows are only ever added.

    Attributes:
        number: counts up; of two who settle at once the database takes one.
        escalate_days: after the last day in time, admins are told.
        hold_days: so many days on hold are too long.
        by_name: who, as they were called.
    """

    number = models.PositiveIntegerField(unique=True)
    escalate_days = models.PositiveSmallIntegerField()
    hold_days = models.PositiveSmallIntegerField()
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-number"]
        constraints = [
            models.CheckConstraint(
                condition=Q(escalate_days__range=(1, LONGEST_DAYS))
                & Q(hold_days__range=(1, LONGEST_DAYS))
                & ~Q(reason=""),
                name="notice_policy_days_are_bounded",
                violation_error_message="These days are out of their range.",
            ),
        ]

    def __str__(self) -> str:
        return f"notice policy {self.number}"


class Look(models.Model):
    """How far a kind was told; its row is held while a worker tells it."""

    kind = models.CharField(max_length=32, unique=True)
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.kind} until {self.until:%Y-%m-%d %H:%M}"


class Notice(models.Model):
    """One person told of one occasion of one subject, once.

    Attributes:
        subject: number of the row that it is about; which table, the kind knows.
        occasion: the kind's key of what happened.
        by_name: the person is the one whom it concerns, not one who watches.
        way: how it was told.
        at: when it was to be told; `told_at`: when it was written.
        ended_at: when it was found to be no longer true, `ended_because` why; it is unread no more.
        message: the e-mail.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notices")
    kind = models.CharField(max_length=32)
    subject = models.BigIntegerField()
    occasion = models.CharField(max_length=MAX_OCCASION)
    by_name = models.BooleanField(default=False)
    title = models.CharField(max_length=300)
    path = models.CharField(max_length=200)
    room = models.CharField(max_length=64, blank=True)
    is_synthetic = models.BooleanField(default=False)
    way = models.CharField(max_length=8, choices=Way.choices)
    at = models.DateTimeField()
    told_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    ended_because = models.CharField(max_length=200, blank=True)
    message = models.OneToOneField(
        "devices.Notification", models.SET_NULL, null=True, blank=True, related_name="notice"
    )

    class Meta:
        ordering = ["-told_at", "-pk"]
        indexes = [
            models.Index(fields=["user", "-told_at", "-id"], name="notice_user_told"),
            models.Index(
                fields=["user"],
                condition=Q(way__in=("in_app", "email"), read_at=None, ended_at=None),
                name="notice_unread",
            ),
            models.Index(fields=["kind", "at"], name="notice_kind_at"),
            models.Index(
                fields=["kind", "subject"], condition=Q(ended_at=None), name="notice_not_over"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "kind", "subject", "occasion"],
                name="notice_once_per_occasion",
                violation_error_message="This person is told of it already.",
            ),
            models.CheckConstraint(
                condition=Q(way__in=("in_app", "email", "digest")),
                name="notice_was_told_some_way",
                violation_error_message="Who is not told has no notice.",
            ),
            models.CheckConstraint(
                condition=Q(ended_at=None, ended_because="")
                | (Q(ended_at__isnull=False) & ~Q(ended_because="")),
                name="notice_over_says_why",
                violation_error_message="A notice that is over says why.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.title}"


class Digest(models.Model):
    """One person's digest of one day of the hospital.

    Attributes:
        since: changes from here on are told, up to `until`; the next digest goes on there.
    """

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="digests")
    day = models.DateField()
    since = models.DateTimeField()
    until = models.DateTimeField()
    message = models.OneToOneField(
        "devices.Notification", models.SET_NULL, null=True, blank=True, related_name="digest"
    )

    class Meta:
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "day"],
                name="digest_one_per_person_and_day",
                violation_error_message="This person has the day's digest already.",
            ),
            models.CheckConstraint(
                condition=Q(since__lt=models.F("until")),
                name="digest_ends_after_it_begins",
                violation_error_message="A digest ends after it begins.",
            ),
        ]

    def __str__(self) -> str:
        return f"digest of {self.user_id} on {self.day}"
