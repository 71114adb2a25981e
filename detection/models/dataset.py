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


class ExportState(models.TextChoices):
    """Of an admin's wish to have a set written."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "writing"
    DONE = "done", "ready"
    FAILED = "failed", "failed"


class DatasetExport(models.Model):
    """An admin's wish for a set as a zip; the row is the truth, its message a hint."""

    name = models.CharField(max_length=64)  # of the set
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=ExportState.choices, default=ExportState.QUEUED)
    sent_at = models.DateTimeField()  # last time a message was sent for it
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    done = models.PositiveIntegerField(default=0)  # films written so far
    total = models.PositiveIntegerField(null=True, blank=True)  # unknown until they are counted
    finished_at = models.DateTimeField(null=True, blank=True)
    message = models.CharField(max_length=300, blank=True)  # why it failed, for a person
    version = models.ForeignKey(
        DatasetVersion, models.PROTECT, null=True, blank=True, related_name="exports"
    )
    archive = models.CharField(max_length=100, blank=True)  # the zip, below DATASET_ROOT
    archive_bytes = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                models.Value(1),
                condition=Q(state__in=["queued", "running"]),
                name="dataset_export_one_at_a_time",
                violation_error_message="An export is under way.",
            ),
            models.CheckConstraint(
                condition=Q(state="running") & Q(lease_until__isnull=False) & ~Q(lease_token="")
                | ~Q(state="running") & Q(lease_until=None, lease_token=""),
                name="dataset_export_running_has_a_lease",
                violation_error_message="A running export has a lease, no other has.",
            ),
            models.CheckConstraint(
                condition=~Q(state__in=["done", "failed"]) | Q(finished_at__isnull=False),
                name="dataset_export_ended_has_a_time",
                violation_error_message="An ended export says when.",
            ),
            models.CheckConstraint(
                condition=~Q(state="done")
                | Q(version__isnull=False) & ~Q(archive="") & Q(archive_bytes__isnull=False),
                name="dataset_export_done_has_an_archive",
                violation_error_message="A finished export has version and archive.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"

    @property
    def ended(self) -> bool:
        """Nothing will change it any more."""
        return self.state in {ExportState.DONE, ExportState.FAILED}
