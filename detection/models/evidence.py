"""What a version said of each film of an annotated set: what comparing two versions needs."""

from __future__ import annotations

from django.conf import settings
from django.db import models

VAL = "val"  # choices are made on it, and only it gates a promotion
TEST = "test"  # reported, never used for a choice


class EvidenceSet(models.Model):
    """One report of `evaluate_detector` about one version, without its films."""

    version = models.ForeignKey(
        "detection.DetectorVersion", models.CASCADE, related_name="evidence_sets"
    )
    name = models.CharField(max_length=16, choices=[(VAL, "validation"), (TEST, "test")])
    content_sha256 = models.CharField(max_length=64)  # of the films' rows
    films = models.PositiveIntegerField()
    figures = models.JSONField(default=dict)  # {figure: {value, low, high}}
    imported_at = models.DateTimeField()
    imported_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "name"],
                name="evidence_one_per_set",
                violation_error_message="This version has evidence on this set already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} on {self.name}"


class EvidenceFilm(models.Model):
    """One film of the set: truth, scores and boxes as `evaluation.evidence.FilmEvidence` has it."""

    evidence = models.ForeignKey(EvidenceSet, models.CASCADE, related_name="rows")
    key = models.CharField(max_length=200)
    body = models.JSONField()

    class Meta:
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["evidence", "key"],
                name="evidence_film_once",
                violation_error_message="A film occurs once in a set.",
            ),
        ]

    def __str__(self) -> str:
        return self.key
