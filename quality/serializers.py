"""Shapes of `quality` in REST."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from devices.models import Device, DeviceModel, MaintenancePlan, ModelPlan, WorkOrder

from .models import Instrument, Protocol, ProtocolPlan, QAFile, QASession, Verdict
from .selectors.overview import STATES
from .tests_of import KINDS, MODES, SIDES


class QATestChoiceSerializer(serializers.Serializer[Any]):
    """One text of a choice."""

    text = serializers.CharField(max_length=120)
    verdict = serializers.ChoiceField(choices=Verdict.choices)


class QATestSerializer(serializers.Serializer[Any]):
    """One test of a protocol."""

    key = serializers.CharField(
        max_length=16, required=False, help_text="of an earlier version's test; a new one has none"
    )
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(choices=list(KINDS.items()))
    instructions = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    unit = serializers.CharField(max_length=32, required=False, help_text="UCUM code")
    reference = serializers.FloatField(required=False)
    tolerance = serializers.FloatField(required=False)
    action = serializers.FloatField(required=False)
    mode = serializers.ChoiceField(choices=list(MODES.items()), required=False)
    side = serializers.ChoiceField(choices=list(SIDES.items()), required=False)
    metric = serializers.CharField(max_length=64, required=False, allow_blank=True)
    choices = QATestChoiceSerializer(many=True, required=False)


class QALinkSerializer(serializers.ModelSerializer[ProtocolPlan]):
    """A plan whose orders ask for the protocol."""

    class Meta:
        model = ProtocolPlan
        fields = ["id", "plan", "model_plan"]
        read_only_fields = fields


class QAProtocolSerializer(serializers.ModelSerializer[Protocol]):
    """A protocol with its present version."""

    version = serializers.IntegerField(source="current.number", read_only=True)
    tests = serializers.SerializerMethodField()
    instructions = serializers.CharField(source="current.instructions", read_only=True)
    plans = QALinkSerializer(many=True, read_only=True)

    class Meta:
        model = Protocol
        fields = [
            "id", "name", "device_model", "device", "version", "tests", "instructions", "plans",
            "retired_at", "is_synthetic",
        ]  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(QATestSerializer(many=True))
    def get_tests(self, protocol: Protocol) -> list[Any]:
        """Of the present version."""
        return protocol.current.tests if protocol.current else []


class NewQAProtocolSerializer(serializers.Serializer[Any]):
    """A protocol to make: of a model or of one machine."""

    name = serializers.CharField(max_length=120)
    device_model = serializers.PrimaryKeyRelatedField(
        queryset=DeviceModel.objects.all(), required=False, allow_null=True
    )
    device = serializers.PrimaryKeyRelatedField(
        queryset=Device.objects.select_related("model"), required=False, allow_null=True
    )
    instructions = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    tests = QATestSerializer(many=True)


class QAVersionSerializer(serializers.Serializer[Any]):
    """The next version of a protocol."""

    name = serializers.CharField(max_length=120, required=False)
    instructions = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    tests = QATestSerializer(many=True)
    reason = serializers.CharField(max_length=300)
    seen = serializers.IntegerField(
        required=False, min_value=1, max_value=2**31 - 1, help_text="version that you looked at"
    )


class QATieSerializer(serializers.Serializer[Any]):
    """One plan, of a machine or of a model."""

    plan = serializers.PrimaryKeyRelatedField(
        queryset=MaintenancePlan.objects.select_related("device"), required=False
    )
    model_plan = serializers.PrimaryKeyRelatedField(
        queryset=ModelPlan.objects.all(), required=False
    )


class QAInstrumentSerializer(serializers.ModelSerializer[Instrument]):
    """An instrument; its calibration holds to the end of the day."""

    class Meta:
        model = Instrument
        fields = ["id", "name", "serial", "calibrated_until"]
        read_only_fields = ["id"]
        validators: list[Any] = []  # the service says it in the house's words


class QAInstrumentDateSerializer(serializers.Serializer[Any]):
    """Until when it was calibrated again."""

    calibrated_until = serializers.DateField()


class QAFileSerializer(serializers.ModelSerializer[QAFile]):
    """A photo or document."""

    class Meta:
        model = QAFile
        fields = ["id", "filename", "kind", "size", "sha256", "at"]
        read_only_fields = fields


class QASessionSerializer(serializers.ModelSerializer[QASession]):
    """A draft or what was signed; `content` is what the hash is of."""

    version = serializers.IntegerField(source="version.number", read_only=True)
    performed_by = serializers.CharField(source="performed_by.username", read_only=True)
    signed_by = serializers.SerializerMethodField()
    superseded_by = serializers.SerializerMethodField()
    files = QAFileSerializer(many=True, read_only=True)

    class Meta:
        model = QASession
        fields = [
            "id", "device", "protocol", "version", "order", "state", "revision", "performed_by",
            "performed_at", "answers", "instrument", "instrument_reason", "comment", "supersedes",
            "supersede_reason", "superseded_by", "signed_by", "signed_at", "signature", "verdict",
            "content", "sha256", "files", "is_synthetic",
        ]  # fmt: skip
        read_only_fields = fields

    def get_signed_by(self, session: QASession) -> str | None:
        """Who."""
        return session.signed_by.username if session.signed_by else None

    def get_superseded_by(self, session: QASession) -> int | None:
        """The signed session that took its place."""
        return next((s.pk for s in session.superseded_by.all() if s.is_signed), None)


class NewQASessionSerializer(serializers.Serializer[Any]):
    """A session to begin."""

    device = serializers.PrimaryKeyRelatedField(queryset=Device.objects.select_related("model"))
    protocol = serializers.PrimaryKeyRelatedField(queryset=Protocol.objects.all())
    order = serializers.PrimaryKeyRelatedField(
        queryset=WorkOrder.objects.all(), required=False, allow_null=True
    )
    performed_at = serializers.DateTimeField(required=False)


class QADraftSerializer(serializers.Serializer[Any]):
    """What is to be kept of a draft."""

    answers = serializers.DictField(
        child=serializers.JSONField(),
        required=False,
        help_text='by the tests\' keys: {"values", "unit", "passed", "choice", "note"}',
    )
    performed_at = serializers.DateTimeField(required=False)
    instrument = serializers.PrimaryKeyRelatedField(
        queryset=Instrument.objects.filter(retired_at=None), required=False, allow_null=True
    )
    instrument_reason = serializers.CharField(max_length=300, required=False, allow_blank=True)
    comment = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    seen = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)


class QASignSerializer(serializers.Serializer[Any]):
    """The signature and what goes with it."""

    signature = serializers.CharField(max_length=200)
    seen = serializers.IntegerField(required=False, min_value=0, max_value=2**31 - 1)
    keep_version = serializers.BooleanField(default=False)
    counts_for = serializers.PrimaryKeyRelatedField(
        queryset=MaintenancePlan.objects.all(), required=False, allow_null=True
    )
    close_order = serializers.BooleanField(default=False)


class QASupersedeSerializer(serializers.Serializer[Any]):
    """Why a signed session is corrected."""

    reason = serializers.CharField(max_length=300)


class QAFileGivenSerializer(serializers.Serializer[Any]):
    """A photo or document to attach."""

    file = serializers.FileField(allow_empty_file=True)


class QARowSerializer(serializers.Serializer[Any]):
    """One protocol on one machine."""

    device = serializers.IntegerField()
    protocol = serializers.IntegerField()
    protocol_name = serializers.CharField()
    state = serializers.ChoiceField(choices=list(STATES.items()))
    verdict = serializers.ChoiceField(choices=Verdict.choices, allow_null=True)
    session = serializers.IntegerField(allow_null=True)
    performed_at = serializers.DateTimeField(allow_null=True)
    due_on = serializers.DateField(allow_null=True)
    order = serializers.IntegerField(allow_null=True)
    drafts = serializers.ListField(child=serializers.IntegerField())
