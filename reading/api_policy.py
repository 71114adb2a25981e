"""REST: the reading policy."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from detection.api_by import by, valid
from detection.serializers import ErrorSerializer
from reading.models import ReadingPolicy, Twice
from reading.models.policy import LONGEST, SHORTEST
from reading.selectors_policy import policy_now
from reading.services.policy import settle


class ReadingPolicySerializer(serializers.ModelSerializer[ReadingPolicy]):
    """What holds; `number` is 0 and the last three are empty until somebody settled something."""

    by = serializers.CharField(source="by_name", read_only=True)
    at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = ReadingPolicy
        fields = ["number", "ceiling_minutes", "twice", "twice_percent", "reason", "by", "at"]
        read_only_fields = fields


class ReadingPolicyInSerializer(serializers.Serializer[Any]):
    """What is settled; what is left out stays as it is."""

    ceiling_minutes = serializers.IntegerField(
        min_value=SHORTEST, max_value=LONGEST, required=False
    )
    twice = serializers.ChoiceField(choices=Twice.choices, required=False)
    twice_percent = serializers.IntegerField(
        min_value=1, max_value=100, required=False, allow_null=True, help_text="for `share` only"
    )
    reason = serializers.CharField(max_length=300)
    seen = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False,
        help_text="number of the policy that was looked at; 409 `policy_changed` if another holds",
    )  # fmt: skip


class ReadingPolicyView(APIView):
    """How this house reads."""

    required = Can.USER_ADMIN

    @extend_schema(operation_id="reading_policy_read", responses=ReadingPolicySerializer)
    def get(self, request: Request) -> Response:
        """The policy that holds now."""
        return Response(ReadingPolicySerializer(policy_now()).data)

    @extend_schema(
        operation_id="reading_policy_settle",
        request=ReadingPolicyInSerializer,
        responses={201: ReadingPolicySerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        """Settle another one; it holds from now on, and the earlier ones stay as history."""
        sent = valid(ReadingPolicyInSerializer, request)
        now = policy_now()
        twice = sent.get("twice", now.twice)
        kept = now.twice_percent if twice == now.twice else None
        made = settle(
            ceiling_minutes=sent.get("ceiling_minutes", now.ceiling_minutes),
            twice=twice,
            twice_percent=sent.get("twice_percent", kept),
            reason=sent["reason"],
            seen=sent.get("seen", now.number),
            **by(request),
        )
        return Response(ReadingPolicySerializer(made).data, status=status.HTTP_201_CREATED)
