"""Protocols with their versions, what they are tied to, sessions, results, instruments, marks."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone


class Verdict(models.TextChoices):
    """What a test or a session came to; worst last."""

    PASS = "pass", "passed"
    TOLERANCE = "tolerance", "beyond tolerance"
    ACTION = "action", "failed: beyond the action level"


class Protocol(models.Model):
    """What is tested of each machine of a model, or of one machine; `current` says how."""

    name = models.CharField(max_length=120)
    device_model = models.ForeignKey(
        "devices.DeviceModel", models.PROTECT, null=True, blank=True, related_name="qa_protocols"
    )
    device = models.ForeignKey(
        "devices.Device", models.PROTECT, null=True, blank=True, related_name="qa_protocols"
    )
    # behind the alerts of its failures: one unresolved per machine and protocol
    rule = models.OneToOneField("devices.Rule", models.PROTECT, related_name="qa_protocol")
    current = models.ForeignKey(
        "quality.ProtocolVersion", models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, blank=True)
    is_synthetic = models.BooleanField(default=False)

    class Meta:
        ordering = ["name", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(device_model=None, device__isnull=False)
                | Q(device_model__isnull=False, device=None),
                name="qa_protocol_of_a_model_or_of_a_machine",
                violation_error_message="A protocol is of a model or of one machine.",
            ),
            models.CheckConstraint(
                condition=~Q(name=""),
                name="qa_protocol_has_a_name",
                violation_error_message="A protocol has a name.",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ProtocolVersion(models.Model):
    """How a protocol is done from a moment on; rows are only ever added (database trigger)."""

    protocol = models.ForeignKey(Protocol, models.PROTECT, related_name="versions")
    number = models.PositiveIntegerField()
    tests = models.JSONField()  # `quality.tests_of.ProtocolTest`s
    instructions = models.TextField(max_length=4000, blank=True)
    reason = models.CharField(max_length=300)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["protocol", "number"]
        constraints = [
            models.UniqueConstraint(
                fields=["protocol", "number"],
                name="qa_version_number_is_unique",
                violation_error_message="Another change took this number.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.protocol_id} v{self.number}"


class ProtocolPlan(models.Model):
    """Orders of this plan, or of every plan made from this model's plan, ask for the protocol."""

    protocol = models.ForeignKey(Protocol, models.CASCADE, related_name="plans")
    plan = models.OneToOneField(
        "devices.MaintenancePlan",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="qa_protocol_link",
    )
    model_plan = models.OneToOneField(
        "devices.ModelPlan", models.CASCADE, null=True, blank=True, related_name="qa_protocol_link"
    )

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(plan=None, model_plan__isnull=False)
                | Q(plan__isnull=False, model_plan=None),
                name="qa_link_of_one_plan",
                violation_error_message="A protocol is tied to a machine's plan or a model's.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.protocol_id} by plan {self.plan_id or self.model_plan_id}"


class Instrument(models.Model):
    """What is measured with, and until when its own calibration holds."""

    name = models.CharField(max_length=120)
    serial = models.CharField(max_length=64)
    calibrated_until = models.DateField()  # the last day
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["name", "serial"]
        constraints = [
            models.UniqueConstraint(
                fields=["name", "serial"],
                name="qa_instrument_one_per_name_and_serial",
                violation_error_message="This instrument is known already.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.serial})"


class SessionState(models.TextChoices):
    """A draft is worked on; what is signed stays as it is (database trigger)."""

    DRAFT = "draft", "draft"
    SIGNED = "signed", "signed"


class QASession(models.Model):
    """One protocol done once on one machine."""

    device = models.ForeignKey("devices.Device", models.PROTECT, related_name="qa_sessions")
    protocol = models.ForeignKey(Protocol, models.PROTECT, related_name="sessions")
    version = models.ForeignKey(ProtocolVersion, models.PROTECT, related_name="sessions")
    order = models.ForeignKey(
        "devices.WorkOrder", models.PROTECT, null=True, blank=True, related_name="qa_sessions"
    )
    # the signed session that this one corrects
    supersedes = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="superseded_by"
    )
    supersede_reason = models.CharField(max_length=300, blank=True)
    state = models.CharField(max_length=8, choices=SessionState.choices, default=SessionState.DRAFT)
    revision = models.PositiveIntegerField(default=0)  # of the draft: of two savers one is told
    performed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="qa_sessions"
    )
    performed_at = models.DateTimeField()  # when it was measured; what counts for everything
    # as typed, by the tests' keys: `{"values": [text], "choice", "passed", "note"}`
    answers = models.JSONField(default=dict, blank=True)
    instrument = models.ForeignKey(
        Instrument, models.PROTECT, null=True, blank=True, related_name="sessions"
    )
    instrument_reason = models.CharField(max_length=300, blank=True)
    comment = models.TextField(max_length=4000, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    is_synthetic = models.BooleanField(default=False)
    # from here on: by the signature
    signed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    signed_at = models.DateTimeField(null=True, blank=True)
    signature = models.CharField(max_length=200, blank=True)
    verdict = models.CharField(max_length=12, choices=Verdict.choices, blank=True)
    # all that the certificate says, and its hash (`twinhealth.web.canonical`)
    content = models.JSONField(null=True, blank=True)
    sha256 = models.CharField(max_length=64, blank=True)

    class Meta:
        ordering = ["-performed_at", "-pk"]
        indexes = [
            models.Index(
                fields=["device", "protocol", "performed_at"],
                condition=Q(state="signed"),
                name="qa_signed_by_time",
            ),
            models.Index(fields=["signed_at"], name="qa_signed_at"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(state="draft", signed_at=None, verdict="", sha256="")
                | Q(
                    state="signed",
                    signed_at__isnull=False,
                    signed_by__isnull=False,
                    content__isnull=False,
                )
                & ~Q(signature="")
                & ~Q(verdict="")
                & ~Q(sha256=""),
                name="qa_signed_is_whole",
                violation_error_message="A signed session has a signature, a verdict and a hash.",
            ),
            models.CheckConstraint(
                condition=Q(supersedes=None, supersede_reason="")
                | Q(supersedes__isnull=False) & ~Q(supersede_reason=""),
                name="qa_correction_has_a_reason",
                violation_error_message="Say why the session is corrected.",
            ),
            models.UniqueConstraint(
                fields=["supersedes"],
                name="qa_corrected_once",
                violation_error_message="This session has its correction already.",
            ),
            models.UniqueConstraint(
                fields=["order"],
                condition=Q(order__isnull=False, state="draft"),
                name="qa_one_draft_per_order",
                violation_error_message="This order has a draft already.",
            ),
        ]

    def __str__(self) -> str:
        return f"QA-{self.pk}"

    @property
    def is_signed(self) -> bool:
        """Nothing of it changes any more."""
        return self.state == SessionState.SIGNED


class QAResult(models.Model):
    """What one test of a signed session came to; rows are only ever added (database trigger)."""

    session = models.ForeignKey(QASession, models.PROTECT, related_name="results")
    key = models.CharField(max_length=16)  # of the test, the same through a protocol's versions
    number = models.FloatField(null=True)  # mean of the values, in the test's unit
    text = models.CharField(max_length=200, blank=True)  # what was chosen, or passed / failed
    verdict = models.CharField(max_length=12, choices=Verdict.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["session", "key"],
                name="qa_result_one_per_test",
                violation_error_message="This test has its result already.",
            ),
        ]
        indexes = [models.Index(fields=["key", "session"], name="qa_result_by_key")]

    def __str__(self) -> str:
        return f"{self.session_id}/{self.key}"


class QAFile(models.Model):
    """A photo or document of a session; rows are only ever added (database trigger)."""

    session = models.ForeignKey(QASession, models.PROTECT, related_name="files")
    filename = models.CharField(max_length=255)  # as sent; hostile text
    path = models.CharField(max_length=200, unique=True)  # below MEDIA_ROOT
    kind = models.CharField(max_length=16)
    size = models.PositiveBigIntegerField()
    sha256 = models.CharField(max_length=64)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.DO_NOTHING,
        null=True,
        related_name="+",
        db_constraint=False,
    )
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.filename

    @property
    def is_picture(self) -> bool:
        """Whether a page may show it."""
        return self.kind != "application/pdf"


class QAMark(models.Model):
    """A mark as degraded that failed sessions of a protocol made on a machine."""

    device = models.ForeignKey("devices.Device", models.CASCADE, related_name="qa_marks")
    protocol = models.ForeignKey(Protocol, models.CASCADE, related_name="marks")
    span = models.OneToOneField("devices.DegradedSpan", models.PROTECT, related_name="qa_mark")
    # the newest failure that it was made or kept for: what a person ends stays ended until the next
    failed = models.ForeignKey(QASession, models.PROTECT, related_name="+")
    # ended or withdrawn by what sessions say; false while it stands, or where a person did it
    closed = models.BooleanField(default=False)

    class Meta:
        indexes = [models.Index(fields=["device", "protocol"], name="qa_mark_of_machine")]

    def __str__(self) -> str:
        return f"{self.protocol_id} on {self.device_id}"
