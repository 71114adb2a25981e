"""What a blinded reader thought of a film before the model was shown."""

from __future__ import annotations

from django.conf import settings
from django.db import models

from detection.models import Conclusion


class FirstImpression(models.Model):
    """One per reader and film; rows are only ever added (the database holds it).

    `boxes` is a snapshot of what the reader had drawn till then:
    [{"review", "label", "box": [left, top, width, height]}], pixels of the stored image.
    """

    image = models.ForeignKey("imaging.Image", models.PROTECT, related_name="first_impressions")
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reader_name = models.CharField(max_length=150)
    at = models.DateTimeField()
    conclusion = models.CharField(max_length=16, choices=Conclusion.choices)
    text = models.TextField(max_length=4000, blank=True)
    boxes = models.JSONField(default=list)
    # the film was opened with the model shown before the reader's group became blinded
    seen_before = models.BooleanField(default=False)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["image", "reader"],
                name="first_impression_once_per_reader",
                violation_error_message="This reader has given a first impression already.",
            ),
        ]

    def __str__(self) -> str:
        return f"film {self.image_id}: {self.conclusion} at first"
