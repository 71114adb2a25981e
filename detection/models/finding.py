"""What the reader saw; never changed afterwards."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Label(models.TextChoices):
    """Classes of the detector; a normal lung is a finding with its box and never flags a film."""

    COVID = "covid", "COVID-19"
    PNEUMONIA = "pneumonia", "pneumonia"
    NORMAL = "normal", "normal lung"


class Finding(models.Model):
    """One box in pixels of the stored image (left, top, width, height), with the model's score."""

    run = models.ForeignKey("detection.DetectionRun", models.PROTECT, related_name="findings")
    label = models.CharField(max_length=16, choices=Label.choices)
    score = models.FloatField()
    x = models.FloatField()
    y = models.FloatField()
    w = models.FloatField()
    h = models.FloatField()

    class Meta:
        ordering = ["-score", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(score__gte=0, score__lte=1),
                name="finding_score_is_a_share",
                violation_error_message="A score lies between 0 and 1.",
            ),
            models.CheckConstraint(
                condition=Q(x__gte=0, y__gte=0, w__gt=0, h__gt=0),
                name="finding_box_has_an_area",
                violation_error_message="A box has an area inside the image.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.label} {self.score:.2f}"
