"""A patient as the sender names one."""

from __future__ import annotations

from django.db import models


class Sex(models.TextChoices):
    """DICOM Patient's Sex (0010,0040), PS3.3 C.7.1.1."""

    FEMALE = "F", "female"
    MALE = "M", "male"
    OTHER = "O", "other"
    UNKNOWN = "", "unknown"


class Patient(models.Model):
    """One person; identity is Patient ID (0010,0020) within its issuer (0010,0021)."""

    identifier = models.CharField(max_length=64)
    issuer = models.CharField(max_length=64, blank=True)
    name = models.CharField(max_length=324, blank=True)  # PN: five groups of 64 with carets
    birth_date = models.DateField(null=True, blank=True)
    sex = models.CharField(max_length=1, choices=Sex.choices, blank=True)
    is_synthetic = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["issuer", "identifier"],
                name="patient_is_unique_within_issuer",
                violation_error_message="A patient with this number exists already.",
            ),
            models.CheckConstraint(
                condition=~models.Q(identifier=""),
                name="patient_has_an_identifier",
                violation_error_message="A patient needs a number.",
            ),
        ]

    def __str__(self) -> str:
        return self.identifier
