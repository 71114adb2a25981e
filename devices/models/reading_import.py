"""A file of readings on its way in: first looked through, then, if a person says so, stored."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ImportState(models.TextChoices):
    """From `devices.services.reading_imports`."""

    CHECKING = "checking", "being looked through"
    CHECKED = "checked", "waits for your word"
    STORING = "storing", "being stored"
    DONE = "done", "stored"
    FAILED = "failed", "failed"
    DISCARDED = "discarded", "discarded"


class ReadingImport(models.Model):
    """One file; `rows_done` moves in the transaction that stores rows, so none counts twice."""

    filename = models.CharField(max_length=255)  # as sent; hostile text
    path = models.CharField(max_length=200, unique=True)  # below MEDIA_ROOT
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    dialect = models.JSONField()  # `devices.csv_readings.Dialect`
    state = models.CharField(
        max_length=16, choices=ImportState.choices, default=ImportState.CHECKING
    )
    rows_done = models.PositiveBigIntegerField(default=0)
    accepted = models.PositiveBigIntegerField(default=0)
    duplicates = models.PositiveBigIntegerField(default=0)
    refused = models.PositiveBigIntegerField(default=0)
    preview = models.JSONField(default=list)  # fates of the first rows
    message = models.CharField(max_length=300, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField()  # last sign of a worker
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.filename


class RefusedRow(models.Model):
    """A reading of the file that can't be stored, and why."""

    of = models.ForeignKey(ReadingImport, models.CASCADE, related_name="refusals")
    line = models.PositiveBigIntegerField()
    metric = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=64)
    message = models.CharField(max_length=300)
    text = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.line}: {self.code}"
