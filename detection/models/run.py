"""One reading of one image by one version; the row is the queue's truth."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class RunState(models.TextChoices):
    """Stored states; `detection.services.execute` holds the transition table."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "reading"
    DONE = "done", "read"
    FAILED = "failed", "failed"
    REFUSED = "refused", "refused"


class Trust(models.TextChoices):
    """How far the machine's state at the exposure supports what is seen on its image."""

    FULL = "full", "full"
    REDUCED = "reduced", "reduced"
    UNKNOWN = "unknown", "unknown"


class DetectionRun(models.Model):
    """Queued, claimed by compare-and-swap with a lease, finished in one transaction."""

    image = models.ForeignKey("imaging.Image", models.PROTECT, related_name="runs")
    version = models.ForeignKey("detection.DetectorVersion", models.PROTECT, related_name="runs")
    state = models.CharField(max_length=16, choices=RunState.choices, default=RunState.QUEUED)
    # for a person (refused) or generic (failed); details of ours are in the log
    reason_code = models.CharField(max_length=64, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    queued_at = models.DateTimeField()
    sent_at = models.DateTimeField()  # last time a message was sent for it
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    seconds = models.FloatField(null=True, blank=True)
    # those of the version when it read: a later promotion may choose others, for later films
    thresholds = models.JSONField(default=dict)
    # trust in the machine as of the exposure, by devices.trust; recomputed when late readings come
    device_trust = models.CharField(max_length=8, choices=Trust.choices, default=Trust.UNKNOWN)
    trust_reasons = models.JSONField(default=list)  # [{"rule","state","text","since"}]
    trust_at = models.DateTimeField(null=True, blank=True)  # when it was computed
    # whose twin it was computed from; an image's machine may become known later
    trust_device = models.ForeignKey(
        "devices.Device", models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image", "version"],
                name="run_one_per_image_and_version",
                violation_error_message="This version has a run for the image already.",
            ),
            models.CheckConstraint(
                condition=Q(state="running") & Q(lease_until__isnull=False) & ~Q(lease_token="")
                | ~Q(state="running") & Q(lease_until=None, lease_token=""),
                name="run_running_has_a_lease",
                violation_error_message="A running run has a lease, no other has.",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "failed", "refused"])
                | Q(finished_at__isnull=False),
                name="run_finished_has_a_time",
                violation_error_message="A finished run says when.",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "sent_at"], name="run_to_send_again"),
            models.Index(fields=["started_at"], name="run_started_lately"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} {self.state}"

    @property
    def counts_from(self) -> dict[str, float]:
        """Class to the score from which a finding of this run counts (needs `version`)."""
        return self.thresholds or self.version.thresholds
