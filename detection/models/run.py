"""One reading of one image by one version; the row is the queue's truth."""

from __future__ import annotations

from django.conf import settings
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
    # what the image gate said and when; it stays when a person has the film read in spite of it
    gate_code = models.CharField(max_length=64, blank=True)
    gate_reason = models.CharField(max_length=300, blank=True)
    gate_at = models.DateTimeField(null=True, blank=True)
    read_anyway_at = models.DateTimeField(null=True, blank=True)
    read_anyway_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
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
            models.CheckConstraint(
                condition=Q(gate_code="", gate_at=None, read_anyway_at=None)
                | ~Q(gate_code="") & Q(gate_at__isnull=False),
                name="run_gate_says_what_and_when",
                violation_error_message="A refusal of the gate has a code and a time.",
            ),
        ]
        indexes = [
            models.Index(fields=["state", "sent_at"], name="run_to_send_again"),
            models.Index(fields=["started_at"], name="run_started_lately"),
            # refusals are few: those of a machine are counted from here
            models.Index(fields=["gate_at"], condition=~Q(gate_code=""), name="run_gated"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} {self.state}"

    @property
    def counts_from(self) -> dict[str, float]:
        """Score per class from which a finding of this run counts."""
        return self.thresholds or self.version.thresholds

    @property
    def refused_by_gate(self) -> bool:
        """A person may overrule this refusal; others come from the file itself."""
        return (
            self.state == RunState.REFUSED
            and bool(self.gate_code)
            and (self.reason_code == self.gate_code)
        )
