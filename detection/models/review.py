"""What people said: verdicts on findings, a lease on a film, a signature under it."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from .finding import Label


class Verdict(models.TextChoices):
    """What a reader did with a finding, or with a film that lacked one."""

    ACCEPT = "accept", "accepted"
    REJECT = "reject", "rejected"
    EDIT = "edit", "edited"
    ADD = "add", "added"


class RejectReason(models.TextChoices):
    """Why a finding of the model is rejected; the codes are counted, so they never change."""

    NOT_A_FINDING = "not_a_finding", "nothing there, normal structures"
    WRONG_CLASS = "wrong_class", "something there, other class"
    WRONG_PLACE = "wrong_place", "wrong place or size"
    ARTEFACT = "artefact", "artefact, device or line"
    DUPLICATE = "duplicate", "marked twice"
    OTHER = "other", "other"


class Review(models.Model):
    """One verdict; an edit is a new row, an undo marks the row withdrawn. The newest counts.

    Withdrawn is also what stood on a film when one of two readers signed his reading: it is kept
    with the reading and off the film, until the film's signature settles which verdicts count.
    """

    image = models.ForeignKey("imaging.Image", models.PROTECT, related_name="reviews")
    finding = models.ForeignKey(
        "detection.Finding", models.PROTECT, null=True, blank=True, related_name="reviews"
    )
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    label = models.CharField(max_length=16, choices=Label.choices, blank=True)
    x = models.FloatField(null=True, blank=True)
    y = models.FloatField(null=True, blank=True)
    w = models.FloatField(null=True, blank=True)
    h = models.FloatField(null=True, blank=True)
    # of a reject; empty on verdicts from before there were codes
    reason_code = models.CharField(max_length=16, choices=RejectReason.choices, blank=True)
    reason = models.CharField(max_length=300, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["at", "id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(verdict="add", finding=None)
                | ~Q(verdict="add") & Q(finding__isnull=False),
                name="review_add_has_no_finding",
                violation_error_message="An added box has no finding of the model.",
            ),
            models.CheckConstraint(
                condition=Q(reason_code="") | Q(verdict="reject"),
                name="review_reason_code_is_of_a_reject",
                violation_error_message="Only a reject has a code for its reason.",
            ),
            models.CheckConstraint(
                condition=~Q(reason_code="other") | ~Q(reason=""),
                name="review_other_reason_has_words",
                violation_error_message="Another reason is given in words.",
            ),
        ]

    def __str__(self) -> str:
        return self.verdict

    @property
    def reason_words(self) -> str:
        """Why, for a person: what the code means, then the reader's own words."""
        coded = self.reason_code not in {"", RejectReason.OTHER}
        said = [self.get_reason_code_display()] if coded else []
        return ": ".join([*said, self.reason] if self.reason else said)


class Claim(models.Model):
    """A reader's lease on a film, so that two don't read the same one."""

    image = models.OneToOneField("imaging.Image", models.CASCADE, related_name="claim")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="+")
    at = models.DateTimeField()
    until = models.DateTimeField()

    def __str__(self) -> str:
        return f"{self.by} until {self.until:%H:%M}"


class Conclusion(models.TextChoices):
    """What the film as a whole shows."""

    NORMAL = "normal", "normal"
    ABNORMAL = "abnormal", "abnormal"
    NOT_READABLE = "not_readable", "not readable"


class Signature(models.Model):
    """The film is read: one per image, never changed."""

    image = models.OneToOneField("imaging.Image", models.PROTECT, related_name="signature")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    by_name = models.CharField(max_length=150)
    at = models.DateTimeField()
    conclusion = models.CharField(max_length=16, choices=Conclusion.choices)
    text = models.TextField(max_length=4000, blank=True)

    class Meta:
        indexes = [models.Index(fields=["at"], name="signature_at")]

    def __str__(self) -> str:
        return f"{self.conclusion} {self.by_name}"
