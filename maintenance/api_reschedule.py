"""REST of moving an order."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from devices import selectors_maintenance as selectors
from devices.serializers_orders import OrderDetailSerializer

from .services import rescheduling


class RescheduleSerializer(serializers.Serializer[Any]):
    """When, who, and why."""

    scheduled_for = serializers.DateTimeField()
    reason = serializers.CharField(max_length=300)
    assigned_to = serializers.SlugRelatedField(
        slug_field="username", queryset=User.objects.all(), required=False, allow_null=True
    )
    override = serializers.CharField(
        max_length=300,
        required=False,
        allow_blank=True,
        help_text="why it goes without a skill; admins alone",
    )
    beyond_grace = serializers.BooleanField(
        default=False, help_text="move it beyond due date and grace all the same"
    )


class RescheduleView(APIView):
    """One order to another time."""

    required = {"post": Can.ORDER_WORK}

    @extend_schema(
        summary="Move to another time, with the reason",
        request=RescheduleSerializer,
        responses=OrderDetailSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """409 `beyond_grace` unless confirmed."""
        form = RescheduleSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        rescheduling.move(
            order=selectors.order(pk),
            actor=cast("User", request.user),
            request=request,
            **form.validated_data,
        )
        return Response(OrderDetailSerializer(selectors.order(pk)).data)
