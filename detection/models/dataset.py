"""Sets of signed films that were exported for training, and which patient belongs to which part."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Split(models.TextChoices):
    """Parts of a set; a patient is in one of them for good."""

    TRAIN = "train", "training"
    VAL = "val", "validation"
    TEST = "test", "test"


class PatientSplit(models.Model):
    """The part that a patient got with the first export; rows are only ever added."""

    patient = models.OneToOneField("patients.Patient", models.PROTECT, related_name="dataset_split")
    split = models.CharField(max_length=8, choices=Split.choices)
    assigned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(split__in=Split.values),
                name="patient_split_is_known",
                violation_error_message="A patient is in train, val or test.",
            ),
        ]

    def __str__(self) -> str:
        return self.split


class DatasetVersion(models.Model):
    """One exported state of a set, by the hash of its annotations; never changed.

    `counts` are those of `detection.dataset_content.counts_of`. The three differences count films
    against `previous`, the newest version of the same name before this one.
    """

    name = models.CharField(max_length=64)
    number = models.PositiveIntegerField()
    sha256 = models.CharField(max_length=64)  # of annotations.json
    counts = models.JSONField()
    previous = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="followers"
    )
    films_new = models.PositiveIntegerField()
    films_changed = models.PositiveIntegerField()
    films_gone = models.PositiveIntegerField()
    # none: the command line, where nobody is signed in
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "number"],
                name="dataset_number_is_unique",
                violation_error_message="This set has a version with the number already.",
            ),
            models.UniqueConstraint(
                fields=["name", "sha256"],
                name="dataset_content_is_one_version",
                violation_error_message="This set has a version with the same content already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class DatasetFilm(models.Model):
    """That a film is in a version, and a hash of what the version says of it."""

    version = models.ForeignKey(DatasetVersion, models.PROTECT, related_name="films")
    image = models.ForeignKey("imaging.Image", models.PROTECT, related_name="dataset_films")
    digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "image"],
                name="dataset_film_once_per_version",
                violation_error_message="The film is in this version already.",
            ),
        ]

    def __str__(self) -> str:
        return self.digest[:12]
