"""A manufacturer's disclosure statement (MDS2) of a model: answers to `inventory.mds2`."""

from __future__ import annotations

from django.conf import settings
from django.db import models


class Answer(models.TextChoices):
    """As the form's column has it."""

    YES = "yes", "yes"
    NO = "no", "no"
    NA = "na", "n.a."
    NOTE = "note", "see note"


class Mds2Sheet(models.Model):
    """The document that the answers are taken from."""

    device_model = models.OneToOneField("devices.DeviceModel", models.PROTECT, related_name="mds2")
    document = models.CharField(max_length=200, blank=True)  # its number or title
    document_date = models.DateField(null=True, blank=True)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return self.document or f"MDS2 of {self.device_model}"


class Mds2Answer(models.Model):
    """One question's answer."""

    sheet = models.ForeignKey(Mds2Sheet, models.CASCADE, related_name="answers")
    code = models.CharField(max_length=16)  # `inventory.mds2.QUESTIONS`
    answer = models.CharField(max_length=4, choices=Answer.choices)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        ordering = ["code"]
        constraints = [
            models.UniqueConstraint(
                fields=["sheet", "code"],
                name="mds2_answer_once",
                violation_error_message="This question has its answer already.",
            ),
            models.CheckConstraint(
                condition=~models.Q(answer="note") | ~models.Q(note=""),
                name="mds2_see_note_has_one",
                violation_error_message="An answer that points to a note has one.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code}: {self.answer}"
