"""DICOM's study and series (PS3.3 C.7.2, C.7.3)."""

from __future__ import annotations

from django.db import models


class Study(models.Model):
    """One examination of one patient."""

    study_instance_uid = models.CharField(max_length=64, unique=True)
    patient = models.ForeignKey("patients.Patient", models.PROTECT, related_name="studies")
    accession_number = models.CharField(max_length=64, blank=True)
    description = models.CharField(max_length=256, blank=True)
    study_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.study_instance_uid


class Series(models.Model):
    """Images of one study from one machine in one go."""

    series_instance_uid = models.CharField(max_length=64, unique=True)
    study = models.ForeignKey(Study, models.PROTECT, related_name="series")
    modality = models.CharField(max_length=16)
    body_part = models.CharField(max_length=64, blank=True)

    class Meta:
        verbose_name_plural = "series"

    def __str__(self) -> str:
        return self.series_instance_uid
