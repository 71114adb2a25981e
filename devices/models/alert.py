"""A machine asks for somebody."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils import timezone

from .device_model import Severity


class AlertState(models.TextChoices):
    """Stored states; transitions stand in `devices.services.alert_changes`."""

    OPEN = "open", "open"
    ACKNOWLEDGED = "acknowledged", "acknowledged"
    RESOLVED = "resolved", "resolved"


class ResolveReason(models.TextChoices):
    """Why it ended."""

    REPAIRED = "repaired", "repaired"
    ADJUSTED = "adjusted", "adjusted or calibrated"
    FALSE_ALARM = "false_alarm", "false alarm"
    CLEARED = "cleared", "readings are back within limits"
    OTHER = "other", "other"


class Alert(models.Model):
    """A device-failure alert: one unresolved per device and rule, held by the database."""

    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="alerts")
    rule = models.ForeignKey("devices.Rule", models.PROTECT, related_name="alerts")
    # the version that opened it
    rule_version = models.ForeignKey(
        "devices.RuleVersion", models.PROTECT, null=True, blank=True, related_name="alerts"
    )
    state = models.CharField(max_length=16, choices=AlertState.choices, default=AlertState.OPEN)
    severity = models.CharField(max_length=8, choices=Severity.choices)
    message = models.CharField(max_length=300)
    since = models.DateTimeField()  # first reading outside the limits
    opened_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    value = models.FloatField()
    recurrences = models.PositiveIntegerField(default=0)
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    acknowledged_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    assigned_to = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    snoozed_until = models.DateTimeField(null=True, blank=True)
    # readings came back within limits; a person still has to say why before it is resolved
    cleared_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    resolved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    resolve_reason = models.CharField(max_length=16, choices=ResolveReason.choices, blank=True)

    class Meta:
        ordering = ["-opened_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "rule"],
                condition=~models.Q(state="resolved"),
                name="alert_one_unresolved_per_device_and_rule",
                violation_error_message="This alert is open already.",
            ),
            models.CheckConstraint(
                condition=models.Q(state="resolved", resolved_at__isnull=False)
                & ~models.Q(resolve_reason="")
                | ~models.Q(state="resolved") & models.Q(resolved_at=None, resolve_reason=""),
                name="alert_resolved_with_time_and_reason",
                violation_error_message="A resolved alert has a time and a reason.",
            ),
        ]

    def __str__(self) -> str:
        return self.message


class AlertNote(models.Model):
    """What people and the system did with an alert: its time line."""

    alert = models.ForeignKey(Alert, models.CASCADE, related_name="notes")
    at = models.DateTimeField(default=timezone.now)  # as of which the rules were looked at
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    verb = models.CharField(max_length=16)
    text = models.CharField(max_length=1000, blank=True)

    class Meta:
        ordering = ["at", "id"]

    def __str__(self) -> str:
        return f"{self.verb} {self.at:%Y-%m-%d %H:%M}"
