"""Which model read: weights by hash, classes, thresholds, figures."""

from __future__ import annotations

from django.db import models


class VersionState(models.TextChoices):
    """One is active; the database sees to it."""

    CANDIDATE = "candidate", "candidate"
    ACTIVE = "active", "active"
    RETIRED = "retired", "retired"


class DetectorVersion(models.Model):
    """One set of weights with all that is needed to repeat a reading; thresholds belong to it."""

    name = models.CharField(max_length=64, unique=True)
    weights_sha256 = models.CharField(max_length=64, unique=True)
    weights_path = models.CharField(max_length=300)
    config = models.CharField(max_length=64)  # name of the architecture, `light` or `r50`
    classes = models.JSONField()
    thresholds = models.JSONField()  # {class: score from which a finding counts}
    licence = models.CharField(max_length=200, blank=True)
    training = models.JSONField(default=dict)  # data, recipe, seed
    metrics = models.JSONField(default=dict)
    state = models.CharField(
        max_length=16, choices=VersionState.choices, default=VersionState.CANDIDATE
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="active"),
                name="detector_version_one_active",
                violation_error_message="Another version is active.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
