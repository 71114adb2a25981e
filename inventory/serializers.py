"""Shapes of this room's REST."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from devices.models import Component, DeviceModel, WorkOrder
from devices.models.component import ComponentKind
from devices.order_steps import FINISHED
from devices.serializers_maintenance import DeviceField

from .mds2 import BY_CODE
from .models import (
    Answer,
    AuditFile,
    Contract,
    ContractKind,
    ImportFate,
    ImportKind,
    InventoryImport,
    Part,
    Recall,
    RecallCandidate,
    RecallStep,
    StockMovement,
    Vendor,
    Warranty,
)


class VendorSerializer(serializers.ModelSerializer[Vendor]):
    """A company, and whom to call there."""

    class Meta:
        model = Vendor
        fields = ["id", "name", "contact", "phone", "email", "note", "active"]
        read_only_fields = fields


class GivenVendorSerializer(serializers.Serializer[Any]):
    """What can be said of a vendor."""

    name = serializers.CharField(max_length=128)
    contact = serializers.CharField(max_length=128, required=False, allow_blank=True)
    phone = serializers.CharField(max_length=32, required=False, allow_blank=True)
    email = serializers.EmailField(required=False, allow_blank=True)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True)
    active = serializers.BooleanField(required=False)


class StockPartSerializer(serializers.ModelSerializer[Part]):
    """An entry of the catalogue; `stock` is the sum of its movements."""

    low = serializers.BooleanField(source="is_low", read_only=True)

    class Meta:
        model = Part
        fields = [
            "id", "number", "name", "unit", "component_kind", "fits", "vendor", "price",
            "location", "stock", "reorder_level", "reorder_amount", "low", "active",
        ]  # fmt: skip
        read_only_fields = fields


class GivenStockPartSerializer(serializers.Serializer[Any]):
    """What can be said of a part; its stock, movements alone change."""

    number = serializers.CharField(max_length=64)
    name = serializers.CharField(max_length=128)
    unit = serializers.CharField(max_length=16, required=False)
    component_kind = serializers.ChoiceField(
        ComponentKind.choices, required=False, allow_blank=True
    )
    fits = serializers.PrimaryKeyRelatedField(
        queryset=DeviceModel.objects.all(), many=True, required=False
    )
    vendor = serializers.PrimaryKeyRelatedField(
        queryset=Vendor.objects.all(), required=False, allow_null=True
    )
    price = serializers.DecimalField(
        max_digits=12, decimal_places=2, required=False, allow_null=True, min_value=0
    )
    location = serializers.CharField(max_length=64, required=False, allow_blank=True)
    reorder_level = serializers.IntegerField(required=False)
    reorder_amount = serializers.IntegerField(required=False)
    active = serializers.BooleanField(required=False)


class StockMovementSerializer(serializers.ModelSerializer[StockMovement]):
    """One change of a stock; below zero: it went."""

    by = serializers.CharField(source="by.username", default=None)

    class Meta:
        model = StockMovement
        fields = [
            "id", "part", "kind", "amount", "order", "issue", "unit_price", "reason", "by", "at",
        ]  # fmt: skip
        read_only_fields = fields


class NewMovementSerializer(serializers.Serializer[Any]):
    """A movement to book.

    `receipt` and `count` (for who plans maintenance), `issue` to an `order`, `return` of an
    `issue`. `amount` is above zero; of a count it is what lies there.
    """

    kind = serializers.ChoiceField(
        [("receipt", "received"), ("issue", "issued"), ("return", "returned"), ("count", "counted")]
    )
    amount = serializers.IntegerField(required=False)
    order = serializers.PrimaryKeyRelatedField(queryset=WorkOrder.objects.all(), required=False)
    issue = serializers.IntegerField(required=False, min_value=1, max_value=2**63 - 1)
    reason = serializers.CharField(max_length=300, required=False, allow_blank=True)


class ContractSerializer(serializers.ModelSerializer[Contract]):
    """An agreement; both days are included."""

    class Meta:
        model = Contract
        fields = [
            "id", "vendor", "number", "kind", "devices", "device_models", "starts_on", "ends_on",
            "notice_days", "cost_per_year", "response_hours", "phone", "note",
        ]  # fmt: skip
        read_only_fields = fields


class GivenContractSerializer(serializers.Serializer[Any]):
    """What can be said of a contract."""

    vendor = serializers.PrimaryKeyRelatedField(queryset=Vendor.objects.all())
    number = serializers.CharField(max_length=64)
    kind = serializers.ChoiceField(ContractKind.choices)
    devices = serializers.ListField(child=DeviceField(), required=False)
    device_models = serializers.PrimaryKeyRelatedField(
        queryset=DeviceModel.objects.all(), many=True, required=False
    )
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()
    notice_days = serializers.IntegerField(required=False)
    cost_per_year = serializers.DecimalField(
        max_digits=12, decimal_places=2, required=False, allow_null=True, min_value=0
    )
    response_hours = serializers.IntegerField(required=False, allow_null=True)
    phone = serializers.CharField(max_length=32, required=False, allow_blank=True)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True)


class WarrantySerializer(serializers.ModelSerializer[Warranty]):
    """Until when a machine, or one of its parts, is repaired for nothing."""

    device = DeviceField()
    component = serializers.PrimaryKeyRelatedField(
        queryset=Component.objects.all(), required=False, allow_null=True
    )
    vendor = serializers.PrimaryKeyRelatedField(queryset=Vendor.objects.all())

    class Meta:
        model = Warranty
        fields = ["id", "device", "component", "vendor", "until", "note"]


class InventoryReasonSerializer(serializers.Serializer[Any]):
    """Why."""

    reason = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")


class RecallSerializer(serializers.ModelSerializer[Recall]):
    """A notice, with what waits at it."""

    found = serializers.IntegerField(read_only=True)
    to_decide = serializers.IntegerField(read_only=True)
    confirmed = serializers.IntegerField(read_only=True)
    worked_off = serializers.IntegerField(read_only=True)
    rejected = serializers.IntegerField(read_only=True)

    class Meta:
        model = Recall
        fields = [
            "id", "reference", "issued_on", "manufacturer", "model_text", "serials", "software",
            "action", "severity", "found", "to_decide", "confirmed", "worked_off", "rejected",
        ]  # fmt: skip
        read_only_fields = fields


class RecallStepSerializer(serializers.ModelSerializer[RecallStep]):
    """One step of its history."""

    by = serializers.CharField(source="by.username", default=None)

    class Meta:
        model = RecallStep
        fields = ["at", "by", "verb", "text"]
        read_only_fields = fields


class RecallCandidateSerializer(serializers.ModelSerializer[RecallCandidate]):
    """A machine that a notice may concern; `done` once a confirmed one's order is."""

    reference = serializers.CharField(source="recall.reference", read_only=True)
    reasons = serializers.ListField(child=serializers.CharField(), read_only=True)
    decided_by = serializers.CharField(source="decided_by.username", default=None)
    done = serializers.SerializerMethodField()

    class Meta:
        model = RecallCandidate
        fields = [
            "id", "recall", "reference", "device", "sureness", "reasons", "still_matches", "state",
            "found_at", "decided_by", "decided_at", "decision", "order", "done",
        ]  # fmt: skip
        read_only_fields = fields

    def get_done(self, row: RecallCandidate) -> bool:
        """Whether nothing is left to be done."""
        if row.state == "rejected":
            return True
        return row.order is not None and row.order.state in FINISHED


class RecallCandidateDetailSerializer(RecallCandidateSerializer):
    """With its history."""

    steps = RecallStepSerializer(many=True, read_only=True)

    class Meta(RecallCandidateSerializer.Meta):
        fields = [*RecallCandidateSerializer.Meta.fields, "steps"]
        read_only_fields = fields


class Mds2AnswerSerializer(serializers.Serializer[Any]):
    """One question; an empty answer: not answered."""

    code = serializers.ChoiceField([(code, code) for code in BY_CODE])
    section = serializers.CharField(read_only=True)
    question = serializers.CharField(read_only=True)
    answer = serializers.ChoiceField([("", "not answered"), *Answer.choices], allow_blank=True)
    note = serializers.CharField(max_length=500, allow_blank=True, required=False, default="")


class Mds2Serializer(serializers.Serializer[Any]):
    """A model's statement; `PUT` changes what it names and leaves the rest."""

    document = serializers.CharField(max_length=200, allow_blank=True, required=False)
    document_date = serializers.DateField(allow_null=True, required=False)
    unanswered = serializers.ListField(child=serializers.CharField(), read_only=True)
    answers = Mds2AnswerSerializer(many=True, required=False)


class AuditFileSerializer(serializers.ModelSerializer[AuditFile]):
    """A file for the inspector; `pdf` and `zip` once it is done."""

    class Meta:
        model = AuditFile
        fields = [
            "id", "device", "starts_on", "ends_on", "state", "machines", "machines_done", "rows",
            "content_sha256", "pdf_size", "pdf_sha256", "zip_size", "zip_sha256",
            "requested_by_name", "requested_at", "made_at", "message",
        ]  # fmt: skip
        read_only_fields = fields


class NewAuditFileSerializer(serializers.Serializer[Any]):
    """Of one machine, or (none) of all; both days are included."""

    device = DeviceField(required=False, allow_null=True)
    starts_on = serializers.DateField()
    ends_on = serializers.DateField()


class ImportFateSerializer(serializers.ModelSerializer[ImportFate]):
    """What becomes of one row; `changes`: column to [before, after]."""

    changes = serializers.DictField(child=serializers.ListField(), read_only=True)

    class Meta:
        model = ImportFate
        fields = ["line", "key", "fate", "changes", "column", "code", "message"]
        read_only_fields = fields


class InventoryImportSerializer(serializers.ModelSerializer[InventoryImport]):
    """A table and how far it is."""

    counts = serializers.DictField(child=serializers.IntegerField(), read_only=True)
    requested_by = serializers.CharField(source="requested_by.username", default=None)

    class Meta:
        model = InventoryImport
        fields = [
            "id", "kind", "device_model", "filename", "size", "sha256", "encoding", "delimiter",
            "state", "counts", "code", "message", "requested_by", "requested_at", "finished_at",
        ]  # fmt: skip
        read_only_fields = fields


class NewInventoryImportSerializer(serializers.Serializer[Any]):
    """A table to send."""

    kind = serializers.ChoiceField(ImportKind.choices)
    device_model = serializers.PrimaryKeyRelatedField(
        queryset=DeviceModel.objects.all(), required=False, help_text="of MDS2 answers: whose"
    )
    file = serializers.FileField()
