"""A measured fact about a patient (FHIR Observation, reduced)."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from patients import codes


class Source(models.TextChoices):
    """Where the value comes from."""

    FORM = "form", "entered by hand"
    REST = "rest", "sent by a system"
    WEARABLE = "wearable", "wearable"
    LAB = "lab", "laboratory"


class Observation(models.Model):
    """One value: LOINC code, number in the code's UCUM unit, time it holds for, source."""

    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="observations")
    code = models.CharField(max_length=16)
    value = models.DecimalField(max_digits=14, decimal_places=4)
    unit = models.CharField(max_length=32)
    effective_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    source = models.CharField(max_length=16, choices=Source.choices)
    entered_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    # a wrong entry is struck out, not deleted
    struck_at = models.DateTimeField(null=True, blank=True)
    struck_reason = models.CharField(max_length=200, blank=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["patient", "code", "effective_at"], name="obs_lane")]
        constraints = [
            models.UniqueConstraint(
                fields=["patient", "code", "effective_at", "source"],
                condition=models.Q(struck_at=None),
                name="observation_is_sent_once",
                violation_error_message="This value is already there for that time.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} {self.value} {self.unit}"

    @property
    def name(self) -> str:
        """Short name of the kind."""
        return codes.label(self.code)

    @property
    def decimals(self) -> int:
        """How many are shown of this kind."""
        return codes.decimals(self.code)
