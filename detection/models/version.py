"""Which model reads: weights by hash, classes, thresholds, figures; and who let it read when."""

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
    weights_path = models.CharField(max_length=300)
    # the file came through the models page and lies below MEDIA_ROOT
    uploaded = models.BooleanField(default=False)
    config = models.CharField(max_length=64)  # name of the architecture, `light` or `r50`
    classes = models.JSONField()
    thresholds = models.JSONField()  # {class: score from which a finding counts}
    # divides the logit of a score before it is read as a probability; None: never fitted
    temperature = models.FloatField(null=True, blank=True)
    licence = models.CharField(max_length=200, blank=True)
    training = models.JSONField(default=dict)  # data, recipe, seed
    metrics = models.JSONField(default=dict)  # the report's summary, per data set
    state = models.CharField(
        max_length=16, choices=VersionState.choices, default=VersionState.CANDIDATE
    )
    registered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )  # None: the command line or a release
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


class PromotionKind(models.TextChoices):
    """Why a version began to read."""

    INSTALLED = "installed", "installed"  # by the system: a first start, or a release
    PROMOTED = "promoted", "promoted"
    ROLLED_BACK = "rolled_back", "rolled back"


class Promotion(models.Model):
    """One change of the version that reads, and what was known then; rows are only ever added."""

    version = models.ForeignKey(DetectorVersion, models.PROTECT, related_name="promotions")
    instead_of = models.ForeignKey(
        DetectorVersion, models.PROTECT, null=True, blank=True, related_name="+"
    )
    kind = models.CharField(max_length=16, choices=PromotionKind.choices)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField()
    reason = models.TextField(max_length=1000, blank=True)
    thresholds = models.JSONField()  # in force from then on
    temperature = models.FloatField(null=True, blank=True)
    # data set on which both were chosen at this promotion; empty: the version's own stayed
    chosen_on = models.CharField(max_length=16, blank=True)
    # {figure: {difference, low, high, worse}} on val against `instead_of`; empty: not compared
    comparison = models.JSONField(default=dict)

    class Meta:
        ordering = ["-at", "-id"]

    def __str__(self) -> str:
        return f"{self.version} {self.kind}"
