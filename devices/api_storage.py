"""REST: what is kept of readings, the policy, its dry run, and deleting by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from devices.models import RetentionPolicy, RetentionRun
from devices.models.retention import LENGTHS, LONGEST, SHORTEST
from devices.retention import usual_hours
from devices.selectors import retention as selectors
from devices.selectors import storage
from devices.services import retention as services

SHOWN = 50


class RetentionPolicySerializer(serializers.ModelSerializer[RetentionPolicy]):
    """What holds; `number` is 0 and the last three are empty until somebody settled something."""

    by = serializers.CharField(source="by_name", read_only=True)
    at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = RetentionPolicy
        fields = ["number", *LENGTHS, "reason", "by", "at"]
        read_only_fields = fields


class _Lengths(serializers.Serializer[Any]):
    raw_months = serializers.IntegerField(
        min_value=SHORTEST, max_value=LONGEST, required=False, allow_null=True,
        help_text="full months before this one; null: for ever; left out: as it is",
    )  # fmt: skip
    five_minute_months = serializers.IntegerField(
        min_value=SHORTEST, max_value=LONGEST, required=False, allow_null=True
    )
    hour_months = serializers.IntegerField(
        min_value=SHORTEST, max_value=LONGEST, required=False, allow_null=True,
        help_text="left out: as it is where that fits the others, else five years",
    )  # fmt: skip
    day_months = serializers.IntegerField(
        min_value=SHORTEST, max_value=LONGEST, required=False, allow_null=True
    )


class RetentionPolicyInSerializer(_Lengths):
    """What is settled; what is left out stays as it is."""

    reason = serializers.CharField(max_length=300)
    seen = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False,
        help_text="number of the policy that was looked at; 409 `policy_changed` if another holds",
    )  # fmt: skip


class StoredMonthSerializer(serializers.Serializer[Any]):
    """Readings of one month; `bytes` is null where the table isn't partitioned."""

    month = serializers.DateField()
    readings = serializers.IntegerField()
    deleted = serializers.BooleanField()
    bytes = serializers.IntegerField(source="size", allow_null=True)


class StoredTableSerializer(serializers.Serializer[Any]):
    """Rows, estimated by PostgreSQL, and bytes of one resolution."""

    name = serializers.CharField()
    rows = serializers.IntegerField()
    bytes = serializers.IntegerField(source="size", allow_null=True)


class StorageSerializer(serializers.Serializer[Any]):
    """What is kept."""

    months = StoredMonthSerializer(many=True)
    tables = StoredTableSerializer(many=True)
    policy = RetentionPolicySerializer()


class RetentionPlanSerializer(serializers.Serializer[Any]):
    """What would be deleted now, and before which moments; null keeps all."""

    raw_before = serializers.DateTimeField(source="cuts.raw", allow_null=True)
    five_minute_before = serializers.DateTimeField(source="cuts.five_minute", allow_null=True)
    hour_before = serializers.DateTimeField(source="cuts.hour", allow_null=True)
    day_before = serializers.DateField(source="cuts.day", allow_null=True)
    partitions = serializers.ListField(child=serializers.DateField())
    raw = serializers.IntegerField()
    five_minute = serializers.IntegerField()
    hour = serializers.IntegerField()
    day = serializers.IntegerField()
    day_kept = serializers.IntegerField()
    bytes = serializers.IntegerField(source="size")


class RetentionRunSerializer(serializers.ModelSerializer[RetentionRun]):
    """One deletion and how far it is."""

    policy = serializers.IntegerField(source="policy.number", read_only=True)
    requested_by = serializers.CharField(
        source="requested_by.username", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = RetentionRun
        fields = [
            "id", "policy", "raw_before", "five_minute_before", "hour_before", "day_before",
            "requested_by", "requested_at", "finished_at", "partitions", "raw", "five_minute",
            "hour", "day",
        ]  # fmt: skip
        read_only_fields = fields


class RetentionRunInSerializer(serializers.Serializer[Any]):
    """Which policy's dry run was looked at."""

    seen = serializers.IntegerField(min_value=0, max_value=2**31 - 1)


def _given(shape: type[serializers.Serializer[Any]], data: Any) -> dict[str, Any]:
    given = shape(data=data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


def _lengths(sent: Mapping[str, Any], now: RetentionPolicy) -> dict[str, Any]:
    """What is left out stays; hours that older callers leave out fit between the others."""
    lengths = {name: sent.get(name, held) for name, held in now.lengths.items()}
    if "hour_months" not in sent:
        five, hours, days = (lengths[name] for name in LENGTHS[1:])
        endless = LONGEST + 1
        if not (five or endless) <= (hours or endless) <= (days or endless):
            lengths["hour_months"] = usual_hours(five, days)
    return lengths


def _asker(request: Request) -> dict[str, Any]:
    plain = request._request  # noqa: SLF001 - DRF has no public name for it
    return {"user": cast("User", request.user), "request": plain, "now": timezone.now()}


class StorageView(APIView):
    """What is kept of readings."""

    required = Can.DEVICE_READ

    @extend_schema(operation_id="storage_read", responses=StorageSerializer)
    def get(self, request: Request) -> Response:
        """Months, tables and the policy that holds."""
        body = {
            "months": storage.months(),
            "tables": storage.tables(),
            "policy": selectors.policy_now(),
        }
        return Response(StorageSerializer(cast("Any", body)).data)


class RetentionPolicyView(APIView):
    """How long readings are kept."""

    required = {"get": Can.DEVICE_READ, "post": Can.STORAGE_ADMIN}

    @extend_schema(
        operation_id="retention_policy_history", responses=RetentionPolicySerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        """The newest 50 policies, newest first; none: everything is kept."""
        rows = selectors.history()[:SHOWN]
        return Response(RetentionPolicySerializer(rows, many=True).data)

    @extend_schema(
        operation_id="retention_policy_settle",
        request=RetentionPolicyInSerializer,
        responses={201: RetentionPolicySerializer},
    )
    def post(self, request: Request) -> Response:
        """Settle another one; nothing is deleted until it is applied."""
        sent, now = _given(RetentionPolicyInSerializer, request.data), selectors.policy_now()
        made = services.settle(
            **_lengths(sent, now),
            reason=sent["reason"],
            seen=sent.get("seen", now.number),
            **_asker(request),
        )
        return Response(RetentionPolicySerializer(made).data, status=status.HTTP_201_CREATED)


class RetentionPlanView(APIView):
    """The dry run."""

    required = Can.DEVICE_READ

    @extend_schema(
        operation_id="retention_plan_read",
        parameters=[
            OpenApiParameter(name, int, description="instead of the settled one")
            for name in LENGTHS
        ],
        responses=RetentionPlanSerializer,
    )
    def get(self, request: Request) -> Response:
        """What the settled policy, or the one in the query, would delete now."""
        sent, now = _given(_Lengths, request.query_params.dict()), selectors.policy_now()
        lengths = _lengths(sent, now)
        services.check_months(*lengths.values())
        found = storage.plan(RetentionPolicy(number=0, **lengths), timezone.now())
        return Response(RetentionPlanSerializer(cast("Any", found)).data)


class RetentionRunsView(APIView):
    """Deletions by the policy."""

    required = {"get": Can.DEVICE_READ, "post": Can.STORAGE_ADMIN}

    @extend_schema(operation_id="retention_runs_list", responses=RetentionRunSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The newest 50, newest first."""
        return Response(RetentionRunSerializer(selectors.runs()[:SHOWN], many=True).data)

    @extend_schema(
        operation_id="retention_run_begin",
        request=RetentionRunInSerializer,
        responses={202: RetentionRunSerializer},
    )
    def post(self, request: Request) -> Response:
        """Apply the settled policy: a worker deletes."""
        seen = _given(RetentionRunInSerializer, request.data)["seen"]
        run = services.begin(seen=seen, **_asker(request))
        return Response(RetentionRunSerializer(run).data, status=status.HTTP_202_ACCEPTED)
