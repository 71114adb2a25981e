"""Who is told of alerts, what was told, and every attempt to do so."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q

from .device_model import Severity


class Subscription(models.Model):
    """Of what a person wants to be told, and how.

    Attributes:
        rooms: names of rooms; with `devices` empty too, all machines.
        escalations: `act` alerts that nobody acknowledged in time.
        quiet_from: in the hospital's zone; e-mails of `watch` wait until `quiet_to`.
    """

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, models.CASCADE, related_name="alert_subscription"
    )
    watch = models.BooleanField(default=True)
    act = models.BooleanField(default=True)
    escalations = models.BooleanField(default=True)
    rooms = models.JSONField(default=list, blank=True)
    devices = models.ManyToManyField("devices.Device", blank=True, related_name="+")
    in_app = models.BooleanField(default=True)
    email = models.BooleanField(default=False)
    quiet_from = models.TimeField(null=True, blank=True)
    quiet_to = models.TimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(quiet_from=None, quiet_to=None)
                | Q(quiet_from__isnull=False, quiet_to__isnull=False),
                name="subscription_quiet_hours_have_two_ends",
                violation_error_message="Quiet hours have a begin and an end.",
            ),
        ]

    def __str__(self) -> str:
        return f"subscription of {self.user_id}"


class Webhook(models.Model):
    """An address of another program that is told by signed HTTP.

    Its secret is not kept: it follows from `salt` and the server's SECRET_KEY
    (`devices.webhook_signature`), so a copy of the database can't sign.
    """

    name = models.CharField(max_length=64, unique=True)
    url = models.CharField(max_length=500)
    severity = models.CharField(  # the least that it is told
        max_length=8, choices=Severity.choices, default=Severity.WATCH
    )
    active = models.BooleanField(default=True)
    salt = models.CharField(max_length=64)
    old_salt = models.CharField(max_length=64, blank=True)
    old_until = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(name="") & ~Q(url="") & ~Q(salt=""),
                name="webhook_is_whole",
                violation_error_message="A webhook needs a name and an address.",
            ),
            models.CheckConstraint(
                condition=Q(old_salt="", old_until=None)
                | ~Q(old_salt="") & Q(old_until__isnull=False),
                name="webhook_old_secret_ends",
                violation_error_message="The secret before says until when it goes on.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class News(models.TextChoices):
    """What there is to tell."""

    OPENED = "opened", "opened"
    ROSE = "rose", "became worse"
    ESCALATED = "escalated", "nobody acknowledged it in time"
    REOPENED = "reopened", "came back"
    RELEASED = "released", "goes on, and was withheld until now"
    TEST = "test", "a test by an admin"  # of a webhook; of no alert
    LETTER = "letter", "a letter"  # what a room writes to a person: `devices.letters`


class Channel(models.TextChoices):
    """How."""

    IN_APP = "in_app", "in the app"
    EMAIL = "email", "e-mail"
    WEBHOOK = "webhook", "webhook"


class SendState(models.TextChoices):
    """Stored states; transitions stand in `devices.services.outbox`."""

    QUEUED = "queued", "waits"
    SENDING = "sending", "being sent"
    SENT = "sent", "sent"
    DEAD = "dead", "given up"
    DROPPED = "dropped", "not needed any more"


class Notification(models.Model):
    """One message to one receiver: written with the change of which it tells (an outbox).

    Attributes:
        key: the same at every try, so that a receiver knows a repetition.
        alert: `None` for a test of a webhook and for a letter.
        number: which piece of news of its alert, from 1; 0 for a test and a letter.
        letter: who writes its text when it is sent, a name of `devices.letters`; empty for alerts.
        occasion: of a letter, what it is about; no person gets two of one.
        path: of a letter, the page it leads to.
        dropped_because: why it was not needed any more.
        due_at: when it is sent or tried again; `None` while it is being sent and once it ended.
        taken_at: when a worker took it; taken over by another after the lease.
    """

    key = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    alert = models.ForeignKey(
        "devices.Alert", models.PROTECT, null=True, blank=True, related_name="notifications"
    )
    number = models.PositiveIntegerField()
    news = models.CharField(max_length=12, choices=News.choices)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    text = models.CharField(max_length=300)
    letter = models.CharField(max_length=32, blank=True)
    occasion = models.CharField(max_length=160, blank=True)
    path = models.CharField(max_length=200, blank=True)
    dropped_because = models.CharField(max_length=200, blank=True)
    channel = models.CharField(max_length=8, choices=Channel.choices)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    webhook = models.ForeignKey(
        Webhook, models.PROTECT, null=True, blank=True, related_name="notifications"
    )
    state = models.CharField(max_length=8, choices=SendState.choices, default=SendState.QUEUED)
    created_at = models.DateTimeField()
    due_at = models.DateTimeField(null=True, blank=True)
    taken_at = models.DateTimeField(null=True, blank=True)
    sent_at = models.DateTimeField(null=True, blank=True)
    tries = models.PositiveSmallIntegerField(default=0)
    read_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        indexes = [
            models.Index(fields=["state", "due_at"], name="notification_due"),
            models.Index(
                fields=["user"],
                condition=Q(channel="in_app", state="sent", read_at=None),
                name="notification_unread",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["alert", "number", "user", "channel"],
                condition=Q(user__isnull=False),
                name="notification_once_per_person",
                violation_error_message="This person is told of it already.",
            ),
            models.UniqueConstraint(
                fields=["alert", "number", "webhook"],
                condition=Q(webhook__isnull=False),
                name="notification_once_per_webhook",
                violation_error_message="This address is told of it already.",
            ),
            models.CheckConstraint(
                condition=Q(channel="webhook", webhook__isnull=False, user=None)
                | ~Q(channel="webhook") & Q(webhook=None, user__isnull=False),
                name="notification_has_one_receiver",
                violation_error_message="A notification has one receiver.",
            ),
            models.CheckConstraint(
                condition=Q(state="queued", due_at__isnull=False)
                | ~Q(state="queued") & Q(due_at=None),
                name="notification_due_while_queued",
                violation_error_message="A notification that waits says until when.",
            ),
            models.UniqueConstraint(
                fields=["user", "letter", "occasion", "channel"],
                condition=Q(news="letter"),
                name="notification_one_letter_per_occasion",
                violation_error_message="This person is told of it already.",
            ),
            models.CheckConstraint(
                condition=Q(news="test", alert=None, channel="webhook", letter="", occasion="")
                | (Q(news="letter", alert=None, channel="email") & ~Q(letter="") & ~Q(occasion=""))
                | (
                    ~Q(news__in=["test", "letter"]) & Q(alert__isnull=False, letter="", occasion="")
                ),
                name="notification_of_an_alert_a_test_or_a_letter",
                violation_error_message="A notification is of an alert, a letter, or a test.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_news_display()}: {self.text}"

    @property
    def receiver(self) -> str:
        """Who it goes to."""
        return str(self.webhook if self.webhook_id else self.user)


class Outcome(models.TextChoices):
    """How one try ended."""

    DELIVERED = "delivered", "delivered"
    FAILED = "failed", "failed"
    LOST = "lost", "the worker was lost"


class DeliveryAttempt(models.Model):
    """One try to deliver; rows are only ever added."""

    notification = models.ForeignKey(Notification, models.PROTECT, related_name="attempts")
    at = models.DateTimeField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices)
    code = models.PositiveSmallIntegerField(null=True, blank=True)  # HTTP's or SMTP's
    took_ms = models.PositiveIntegerField(null=True, blank=True)
    text = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.outcome} {self.at:%Y-%m-%d %H:%M:%S}"
