"""REST: after how long alerts escalate and what is one incident."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from devices.models import AlertPolicy
from devices.models.alert_policy import LONGEST_ESCALATE, LONGEST_GROUP
from devices.selectors import alert_policy as selectors
from devices.services import alert_policy as services

from .api import actor
from .api_alerts import given_by

SHOWN = 50


class AlertPolicySerializer(serializers.ModelSerializer[AlertPolicy]):
    """What holds; `number` is 0 and the last three are empty until somebody settled something."""

    by = serializers.CharField(source="by_name", read_only=True)
    at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = AlertPolicy
        fields = ["number", "escalate_minutes", "group_minutes", "reason", "by", "at"]
        read_only_fields = fields


class AlertPolicyInSerializer(serializers.Serializer[Any]):
    """What is settled."""

    escalate_minutes = serializers.IntegerField(min_value=1, max_value=LONGEST_ESCALATE)
    group_minutes = serializers.IntegerField(min_value=1, max_value=LONGEST_GROUP)
    reason = serializers.CharField(max_length=300)
    seen = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, allow_null=True, default=None,
        help_text="number of the policy that was looked at; 409 `policy_changed` if another holds",
    )  # fmt: skip


class AlertPoliciesSerializer(serializers.Serializer[Any]):
    """The policy that holds and those that were settled, newest first."""

    policy = AlertPolicySerializer()
    history = AlertPolicySerializer(many=True)


class AlertPolicyView(APIView):
    """Minutes of escalation and of grouping."""

    required = {"get": Can.ALERT_READ, "post": Can.ALERT_POLICY}

    @extend_schema(operation_id="alert_policy", responses=AlertPoliciesSerializer)
    def get(self, request: Request) -> Response:
        """What holds, and the newest 50 that were settled."""
        body = {"policy": selectors.policy_now(), "history": selectors.history()[:SHOWN]}
        return Response(AlertPoliciesSerializer(body).data)

    @extend_schema(
        operation_id="alert_policy_settle",
        request=AlertPolicyInSerializer,
        responses={201: AlertPolicySerializer},
    )
    def post(self, request: Request) -> Response:
        """Settle another one."""
        given = given_by(AlertPolicyInSerializer, request)
        made = services.settle(user=actor(request), now=timezone.now(), request=request, **given)
        return Response(AlertPolicySerializer(made).data, status=status.HTTP_201_CREATED)
