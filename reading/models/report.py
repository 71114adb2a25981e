"""A film's report: a reader's draft, and what was signed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class ReportDraft(models.Model):
    """What one reader wrote on one film and hasn't signed.

    Attributes:
        sections: of `reading.report_text.SECTIONS` those that the reader wrote himself.
        revision: goes up with each save, so that two tabs don't write over one another.
    """

    image = models.ForeignKey("imaging.Image", models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    sections = models.JSONField(default=dict)
    conclusion = models.CharField(max_length=16, blank=True)
    revision = models.PositiveIntegerField(default=0)
    at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["image", "by"],
                name="report_draft_one_per_reader",
                violation_error_message="You have a draft of this report.",
            ),
        ]

    def __str__(self) -> str:
        return f"draft {self.revision} of film {self.image_id}"


class Report(models.Model):
    """The report under a signature; rows are only ever added (the database holds it).

    Attributes:
        content: identity, study, findings and sections as they were when it was signed.
        text: the sections as plain text.
        sha256: of `content`, see `reading.report_content.sha256`.
    """

    signature = models.OneToOneField("detection.Signature", models.PROTECT, related_name="report")
    content = models.JSONField()
    text = models.TextField()
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField()
    sha256 = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=~Q(text="") & ~Q(sha256=""),
                name="report_says_something",
                violation_error_message="A report has a text and its hash.",
            ),
        ]

    def __str__(self) -> str:
        return f"report {self.by_name}"
