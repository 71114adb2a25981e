"""The twin's journal and what follows from it."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class EventKind(models.TextChoices):
    """What can happen to a machine."""

    REGISTERED = "registered", "registered"
    CONFIG_REPORTED = "config_reported", "configuration reported"
    CONFIG_DESIRED = "config_desired", "configuration wanted"
    LIFECYCLE = "lifecycle", "taken in or out of service"
    ALERT_OPENED = "alert_opened", "alert opened"
    ALERT_RESOLVED = "alert_resolved", "alert resolved"
    MAINTENANCE_DONE = "maintenance_done", "maintenance done"
    CLOCK = "clock", "clock"
    DEGRADED = "degraded", "marked as degraded"
    DEGRADED_ENDED = "degraded_ended", "no longer degraded"
    DEGRADED_WITHDRAWN = "degraded_withdrawn", "mark as degraded withdrawn"
    ALIAS_CONFIRMED = "alias_confirmed", "alias confirmed"
    COMPONENT_INSTALLED = "component_installed", "part put in"
    COMPONENT_REMOVED = "component_removed", "part taken out"
    COMPONENT_CORRECTED = "component_corrected", "entry about a part withdrawn"
    DETAILS_CHANGED = "details_changed", "details changed"


class TwinEvent(models.Model):
    """One fact about one machine; rows are only ever added (database trigger)."""

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="events")
    revision = models.PositiveIntegerField()
    kind = models.CharField(max_length=32, choices=EventKind.choices)
    at = models.DateTimeField()
    recorded_at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
    )
    payload = models.JSONField(default=dict)

    class Meta:
        ordering = ["device", "revision"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "revision"],
                name="twin_event_revision_is_unique",
                violation_error_message="Another event took this revision.",
            ),
        ]
        indexes = [models.Index(fields=["device", "at", "revision"], name="twin_event_moment")]

    def __str__(self) -> str:
        return f"{self.device_id}#{self.revision} {self.kind}"


class TwinState(models.Model):
    """The fold of a device's events by `devices.projection.apply`; a command checks it."""

    device = models.OneToOneField("devices.Device", models.CASCADE, related_name="twin")
    revision = models.PositiveIntegerField(default=0)
    state = models.JSONField(default=dict)
    # events, in the order of the fold, after the newest snapshot
    loose = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.device_id}@{self.revision}"


class TwinSnapshot(models.Model):
    """The fold of the first `events` events, in the fold's order, up to (`at`, `revision`).

    One stands after every `devices.services.snapshots.EVERY` events, so that no moment is farther
    than that from a stored fold.
    """

    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="snapshots")
    events = models.PositiveIntegerField()
    at = models.DateTimeField()
    revision = models.PositiveIntegerField()
    state = models.JSONField()

    class Meta:
        ordering = ["device", "at", "revision"]
        constraints = [
            models.UniqueConstraint(
                fields=["device", "at", "revision"],
                name="twin_snapshot_once",
                violation_error_message="This snapshot is already there.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.device_id}@{self.at:%F %T}#{self.revision}"
