"""Films that two readers read without seeing each other's reading, and who settled a difference."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from detection.models import Conclusion

from .policy import Twice


class DoubleReading(models.Model):
    """That a film is read twice: settled when the first reader signs, and kept from then on."""

    image = models.OneToOneField("imaging.Image", models.PROTECT, related_name="double_reading")
    why = models.CharField(max_length=8, choices=Twice.choices)
    policy = models.ForeignKey("reading.ReadingPolicy", models.PROTECT, related_name="+")
    at = models.DateTimeField()

    def __str__(self) -> str:
        return f"film {self.image_id}: {self.why}"


class IndependentRead(models.Model):
    """What one of the two readers signed; never changed. The signature follows, or a third reader.

    `findings` holds what stood on the film then: `{"run", "version", "diseases": [label],
    "kept": [{"label", "box", "verdict", "origin"}], "findings": [{"finding", "label", "score",
    "box", "verdict", "shown_label", "shown_box", "reason_code", "reason", "review"}], "added":
    [{"review", "label", "box", "reason"}]}`; boxes are left, top, width, height in pixels of the
    stored image. The oldest readings hold no `reason_code`.
    """

    image = models.ForeignKey("imaging.Image", models.PROTECT, related_name="independent_reads")
    position = models.PositiveSmallIntegerField()
    reader = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    reader_name = models.CharField(max_length=150)
    at = models.DateTimeField()
    conclusion = models.CharField(max_length=16, choices=Conclusion.choices)
    text = models.TextField(max_length=4000, blank=True)
    sections = models.JSONField(default=dict)  # of the report: those that the reader wrote himself
    findings = models.JSONField()

    class Meta:
        ordering = ["image", "position"]
        constraints = [
            models.UniqueConstraint(
                fields=["image", "position"],
                name="read_one_per_position",
                violation_error_message="Another reader was faster.",
            ),
            models.UniqueConstraint(
                fields=["image", "reader"],
                name="read_one_per_reader",
                violation_error_message="This reader has read the film already.",
            ),
            models.CheckConstraint(
                condition=Q(position__gte=1, position__lte=2),
                name="read_first_or_second",
                violation_error_message="Two readers read a film, not more.",
            ),
        ]
        indexes = [models.Index(fields=["reader"], name="read_by_reader")]

    def __str__(self) -> str:
        return f"film {self.image_id}, reader {self.position}: {self.conclusion}"

    @property
    def diseases(self) -> list[str]:
        """Labels of the kept boxes that are diseases, in order."""
        return list(self.findings["diseases"])

    @property
    def kept(self) -> list[dict[str, object]]:
        """The boxes that the reader let stand."""
        return list(self.findings["kept"])


class Choice(models.TextChoices):
    """Whose reading a third reader signed."""

    FIRST = "first", "as first"
    SECOND = "second", "as second"
    OWN = "own", "own"


class Adjudication(models.Model):
    """That a reading lead settled a difference, and how; the lead is who signed."""

    signature = models.OneToOneField(
        "detection.Signature", models.PROTECT, related_name="adjudication"
    )
    choice = models.CharField(max_length=8, choices=Choice.choices)

    def __str__(self) -> str:
        return f"signature {self.signature_id}: {self.choice}"
