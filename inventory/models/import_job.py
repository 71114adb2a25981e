"""A table on its way in: first a dry run, then, if a person says so, all of it or nothing."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class ImportKind(models.TextChoices):
    """What the rows are."""

    MACHINES = "machines", "machines"
    PARTS = "parts", "parts"
    PLANS = "plans", "plans"
    RECALLS = "recalls", "recalls"
    MDS2 = "mds2", "MDS2 answers"


class ImportState(models.TextChoices):
    """From `inventory.services.imports`."""

    CHECKING = "checking", "being looked through"
    CHECKED = "checked", "waits for your word"
    APPLYING = "applying", "being applied"
    DONE = "done", "applied"
    FAILED = "failed", "failed"
    DISCARDED = "discarded", "discarded"


class InventoryImport(models.Model):
    """One file and what becomes of it."""

    kind = models.CharField(max_length=16, choices=ImportKind.choices)
    # of MDS2 answers: whose
    device_model = models.ForeignKey(
        "devices.DeviceModel", models.PROTECT, null=True, blank=True, related_name="+"
    )
    filename = models.CharField(max_length=255)  # as sent; hostile text
    path = models.CharField(max_length=200, unique=True)  # below MEDIA_ROOT
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    encoding = models.CharField(max_length=16, blank=True)
    delimiter = models.CharField(max_length=2, blank=True)
    state = models.CharField(
        max_length=16, choices=ImportState.choices, default=ImportState.CHECKING
    )
    # of the fates that a person was shown; others than these are not applied
    fates_sha256 = models.CharField(max_length=64, blank=True)
    counts = models.JSONField(default=dict)  # fate -> rows
    message = models.CharField(max_length=300, blank=True)
    code = models.CharField(max_length=64, blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+"
    )
    requested_at = models.DateTimeField(auto_now_add=True)
    touched_at = models.DateTimeField()  # last sign of a worker
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.filename


class Fate(models.TextChoices):
    """What becomes of a row."""

    ADDED = "added", "added"
    CHANGED = "changed", "changed"
    UNCHANGED = "unchanged", "unchanged"
    REFUSED = "refused", "refused"


class ImportFate(models.Model):
    """One row of the file, and what becomes of it."""

    of = models.ForeignKey(InventoryImport, models.CASCADE, related_name="fates")
    line = models.PositiveIntegerField()
    key = models.CharField(max_length=200, blank=True)
    fate = models.CharField(max_length=12, choices=Fate.choices)
    changes = models.JSONField(default=dict)  # column -> [from, to]
    column = models.CharField(max_length=64, blank=True)
    code = models.CharField(max_length=64, blank=True)
    message = models.CharField(max_length=300, blank=True)

    class Meta:
        ordering = ["pk"]
        indexes = [models.Index(fields=["of", "fate"], name="import_fate_of")]

    def __str__(self) -> str:
        return f"{self.line}: {self.fate}"
