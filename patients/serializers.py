"""REST shapes of `patients`."""

from __future__ import annotations

from rest_framework import serializers

from .models import Observation, Patient


class PatientSerializer(serializers.ModelSerializer[Patient]):
    """Who."""

    class Meta:
        model = Patient
        fields = [
            "id", "identifier", "issuer", "name", "birth_date", "sex", "is_synthetic", "created_at",
        ]  # fmt: skip
        read_only_fields = fields


class ObservationSerializer(serializers.ModelSerializer[Observation]):
    """One stored value."""

    name = serializers.CharField(read_only=True)
    value = serializers.FloatField()

    class Meta:
        model = Observation
        fields = [
            "id", "code", "name", "value", "unit", "effective_at", "received_at", "source",
            "is_synthetic",
        ]  # fmt: skip
        read_only_fields = fields


class ObservationInSerializer(serializers.Serializer):
    """One value as it is sent (for the schema; items are checked one by one)."""

    code = serializers.CharField(help_text="LOINC")
    value = serializers.FloatField()
    unit = serializers.CharField(help_text="UCUM")
    effective_at = serializers.DateTimeField(help_text="ISO 8601 with offset")


class RejectionSerializer(serializers.Serializer):
    """Why one item was not taken."""

    index = serializers.IntegerField()
    code = serializers.CharField()
    message = serializers.CharField()


class RecordResultSerializer(serializers.Serializer):
    """What became of a batch."""

    accepted = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = RejectionSerializer(many=True)
