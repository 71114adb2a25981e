"""REST: marks as degraded."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from devices.models import Alert, DegradedSpan
from devices.selectors import twin as twin_selectors
from devices.selectors.degraded import spans_of
from devices.serializers_degraded import (
    DegradedEndSerializer,
    DegradedInSerializer,
    DegradedSpanSerializer,
    DegradedWithdrawSerializer,
)
from devices.services import degraded as services
from twinhealth.errors import InvalidInputError

from .api import actor


def _valid(kind: type[serializers.Serializer[Any]], request: Request) -> dict[str, Any]:
    given = kind(data=request.data)
    given.is_valid(raise_exception=True)
    return dict(given.validated_data)


class DegradedView(generics.GenericAPIView[DegradedSpan]):
    """A machine's marks as degraded."""

    required = {"get": Can.DEVICE_HEALTH, "post": Can.DEVICE_WRITE}
    serializer_class = DegradedSpanSerializer
    queryset = DegradedSpan.objects.all()
    filter_backends = ()

    @extend_schema(
        operation_id="devices_degraded_list", responses=DegradedSpanSerializer(many=True)
    )
    def get(self, request: Request, pk: int) -> Response:
        """All of them, withdrawn ones too, newest first."""
        page = self.paginate_queryset(spans_of(twin_selectors.get(pk).pk)) or []
        return self.get_paginated_response(DegradedSpanSerializer(page, many=True).data)

    @extend_schema(
        operation_id="devices_degraded_create",
        request=DegradedInSerializer,
        responses={200: DegradedSpanSerializer, 201: DegradedSpanSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Mark it; 409 `degraded_overlap` with the mark in the way, 200 for the same once more."""
        data = _valid(DegradedInSerializer, request)
        named = data.pop("alert")
        alert = Alert.objects.filter(pk=named or 0).first()
        if named and alert is None:
            raise InvalidInputError("no_such_alert", "There is no such alert.")
        span, made = services.mark(
            device=twin_selectors.get(pk),
            alert=alert,
            actor=actor(request),
            request=request,
            **data,
        )
        code = status.HTTP_201_CREATED if made else status.HTTP_200_OK
        return Response(DegradedSpanSerializer(span).data, status=code)


class DegradedEndView(APIView):
    """The machine is good again."""

    required = Can.DEVICE_WRITE

    @extend_schema(
        operation_id="devices_degraded_end",
        request=DegradedEndSerializer,
        responses=DegradedSpanSerializer,
    )
    def post(self, request: Request, pk: int, span_id: int) -> Response:
        """Give a mark its end: now, unless told."""
        span = services.end(
            span=services.get(device_id=pk, span_id=span_id),
            actor=actor(request),
            request=request,
            **_valid(DegradedEndSerializer, request),
        )
        return Response(DegradedSpanSerializer(span).data)


class DegradedWithdrawView(APIView):
    """The mark was a mistake."""

    required = Can.DEVICE_WRITE

    @extend_schema(
        operation_id="devices_degraded_withdraw",
        request=DegradedWithdrawSerializer,
        responses=DegradedSpanSerializer,
    )
    def post(self, request: Request, pk: int, span_id: int) -> Response:
        """It counts for nothing any more, and stays to be read."""
        span = services.withdraw(
            span=services.get(device_id=pk, span_id=span_id),
            actor=actor(request),
            request=request,
            **_valid(DegradedWithdrawSerializer, request),
        )
        return Response(DegradedSpanSerializer(span).data)
