"""Sets of signed films for training: whose film is in which part, what each version held."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Split(models.TextChoices):
    """The part of a set that a patient's films belong to, for good."""

    TRAIN = "train", "train"
    VAL = "val", "val"
    TEST = "test", "test"


class DatasetKey(models.Model):
    """One row: the secret behind pseudonyms and splits; another one would break both."""

    secret = models.CharField(max_length=64)  # 32 random bytes in hexadecimal
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(id=1),
                name="dataset_key_is_one_row",
                violation_error_message="There is one key.",
            ),
        ]

    def __str__(self) -> str:
        return "key of the pseudonyms"


class DatasetSplit(models.Model):
    """Where a patient's films go; set at the first export that has one of them, never changed."""

    patient = models.OneToOneField(
        "patients.Patient", models.PROTECT, related_name="+", primary_key=True
    )
    split = models.CharField(max_length=8, choices=Split.choices)
    assigned_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(split__in=Split.values),
                name="dataset_split_is_known",
                violation_error_message="A split is train, val or test.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.patient_id} {self.split}"


class DatasetVersion(models.Model):
    """One state of a named set; rows are only ever added."""

    name = models.CharField(max_length=48)
    number = models.PositiveIntegerField()
    previous = models.OneToOneField(
        "self", models.PROTECT, null=True, blank=True, related_name="next"
    )
    sha256 = models.CharField(max_length=64)  # of dataset.json, which names all other hashes
    created_at = models.DateTimeField(auto_now_add=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    counts = models.JSONField()  # {split: {"films", "patients", "boxes": {label: number}}}
    left_out = models.JSONField(default=dict)  # {reason: signed films}
    diff = models.JSONField(default=dict)  # {"new", "changed", "gone"} against `previous`
    options = models.JSONField(default=dict)  # {"since", "longest_side"}

    class Meta:
        ordering = ["-created_at", "-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "number"],
                name="dataset_version_number_is_unique",
                violation_error_message="This version of the set exists already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"


class DatasetItem(models.Model):
    """One film of a version: its file, its content, who labelled it, whose findings they judged."""

    version = models.ForeignKey(DatasetVersion, models.PROTECT, related_name="items")
    image = models.ForeignKey("imaging.Image", models.PROTECT, related_name="dataset_items")
    split = models.CharField(max_length=8, choices=Split.choices)
    file_name = models.CharField(max_length=64)
    sha256 = models.CharField(max_length=64)  # of the exported picture
    content_sha256 = models.CharField(max_length=64)  # of the film's rows in the JSON
    boxes = models.PositiveSmallIntegerField()
    labellers = models.JSONField()  # [{"user", "role"}], by number
    model = models.ForeignKey(
        "detection.DetectorVersion", models.PROTECT, null=True, blank=True, related_name="+"
    )

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["version", "image"],
                name="dataset_item_film_once",
                violation_error_message="A film is in a version once.",
            ),
            models.CheckConstraint(
                condition=Q(split__in=Split.values),
                name="dataset_item_split_is_known",
                violation_error_message="A split is train, val or test.",
            ),
        ]

    def __str__(self) -> str:
        return self.file_name


class ExportState(models.TextChoices):
    """Of a wish to have a set written."""

    QUEUED = "queued", "queued"
    RUNNING = "running", "writing"
    DONE = "done", "ready"
    FAILED = "failed", "failed"


class DatasetExport(models.Model):
    """An admin's wish for a set as a zip; the row is the truth, its message a hint."""

    name = models.CharField(max_length=48)
    since = models.DateTimeField(null=True, blank=True)
    longest_side = models.PositiveIntegerField(null=True, blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    requested_at = models.DateTimeField()
    state = models.CharField(max_length=8, choices=ExportState.choices, default=ExportState.QUEUED)
    sent_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_token = models.CharField(max_length=36, blank=True)
    lease_until = models.DateTimeField(null=True, blank=True)
    done = models.PositiveIntegerField(default=0)  # films written so far
    total = models.PositiveIntegerField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    message = models.CharField(max_length=300, blank=True)  # why it failed, for a person
    version = models.ForeignKey(
        DatasetVersion, models.PROTECT, null=True, blank=True, related_name="exports"
    )
    archive = models.CharField(max_length=200, blank=True)  # the zip, below MEDIA_ROOT
    archive_bytes = models.PositiveBigIntegerField(null=True, blank=True)

    class Meta:
        ordering = ["-requested_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="running") & Q(lease_until__isnull=False) & ~Q(lease_token="")
                | ~Q(state="running") & Q(lease_until=None, lease_token=""),
                name="dataset_export_running_has_a_lease",
                violation_error_message="A running export has a lease, no other has.",
            ),
            models.CheckConstraint(
                condition=~Q(state="done") | Q(version__isnull=False) & ~Q(archive=""),
                name="dataset_export_done_has_an_archive",
                violation_error_message="A finished export has its version and its archive.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.state}"
