"""Which model reads: weights by hash, classes, thresholds, figures."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class VersionState(models.TextChoices):
    """One is active and one at most reads along; `services.version_states` has the transitions."""

    CANDIDATE = "candidate", "candidate"
    SHADOW = "shadow", "reads along"
    ACTIVE = "active", "active"
    RETIRED = "retired", "retired"


class DetectorVersion(models.Model):
    """One set of weights with all that is needed to repeat a reading; thresholds belong to it."""

    name = models.CharField(max_length=64, unique=True)
    weights_sha256 = models.CharField(max_length=64, unique=True)
    # relative: below MEDIA_ROOT if uploaded, else beside the weights of the settings
    weights_path = models.CharField(max_length=300)
    uploaded = models.BooleanField(default=False)  # by an admin, and checked by a worker
    config = models.CharField(max_length=64)  # name of the architecture, `light` or `r50`
    classes = models.JSONField()
    thresholds = models.JSONField()  # {class: score from which a finding counts}
    # logit / temperature + offset is the logit of a chance (`manifest.Scaling`); None: never fitted
    temperature = models.FloatField(null=True, blank=True)
    offset = models.FloatField(default=0.0)
    licence = models.CharField(max_length=200, blank=True)
    training = models.JSONField(default=dict)  # data, recipe, seed
    metrics = models.JSONField(default=dict)
    state = models.CharField(
        max_length=16, choices=VersionState.choices, default=VersionState.CANDIDATE
    )
    # none: the command line or a release
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
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
            models.UniqueConstraint(
                fields=["state"],
                condition=models.Q(state="shadow"),
                name="detector_version_one_shadow",
                violation_error_message="Another version reads along.",
            ),
            models.CheckConstraint(
                condition=models.Q(temperature=None) | models.Q(temperature__gt=0),
                name="detector_version_temperature_is_positive",
                violation_error_message="A temperature is above 0.",
            ),
        ]

    def __str__(self) -> str:
        return self.name
