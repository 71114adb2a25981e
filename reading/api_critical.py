"""REST: critical results."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from accounts.services import audit
from detection.api_by import by, valid
from detection.serializers import ErrorSerializer
from reading import selectors_critical as selectors
from reading.api_lists import PAGES, chosen
from reading.models import CriticalResult, CriticalState
from reading.serializers_critical import (
    CancelSerializer,
    CriticalInSerializer,
    CriticalResultSerializer,
    ReadBackSerializer,
)
from reading.services import critical

_WRONG = dict.fromkeys((400, 403, 404, 409), ErrorSerializer)


class CriticalResultsView(generics.GenericAPIView[CriticalResult]):
    """Critical results of the house."""

    required = Can.FINDING_REVIEW
    serializer_class = CriticalResultSerializer
    queryset = CriticalResult.objects.all()
    filter_backends = ()  # the selector sorts

    @extend_schema(
        operation_id="critical_results_list",
        responses={200: CriticalResultSerializer(many=True), 400: ErrorSerializer},
        parameters=[OpenApiParameter("state", enum=CriticalState.values), *PAGES],
    )
    def get(self, request: Request) -> Response:
        """Open ones first, the oldest first; all, or those of one state."""
        state = chosen(request, "state", CriticalState.values)
        page = self.paginate_queryset(selectors.results(state=state)) or []
        audit.record(
            verb="listed",
            actor=by(request)["user"],
            obj=CriticalResult,
            request=by(request)["request"],
            detail={"results": [row.pk for row in page]},
        )
        return self.get_paginated_response(CriticalResultSerializer(page, many=True).data)

    @extend_schema(
        operation_id="critical_results_create",
        request=CriticalInSerializer,
        responses={201: CriticalResultSerializer, **_WRONG},
    )
    def post(self, request: Request) -> Response:
        """Report one; the first of the on-call list is told at once."""
        data = valid(CriticalInSerializer, request)
        made = critical.report(
            image_id=data["image"], on_call_id=data["on_call"], text=data["text"], **by(request)
        )
        return Response(CriticalResultSerializer(made).data, status=status.HTTP_201_CREATED)


class AcknowledgeView(APIView):
    """Taking a critical result over."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="critical_results_acknowledge",
        request=ReadBackSerializer,
        responses={200: CriticalResultSerializer, **_WRONG},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Repeat the result; 400 `read_back_differs` where it isn't repeated."""
        done = critical.acknowledge(
            result_id=pk, **by(request), **valid(ReadBackSerializer, request)
        )
        return Response(CriticalResultSerializer(done).data)


class CancelView(APIView):
    """Taking one's own critical result back."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="critical_results_cancel",
        request=CancelSerializer,
        responses={200: CriticalResultSerializer, **_WRONG},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Cancel with a reason; its author alone, until it is acknowledged."""
        done = critical.cancel(result_id=pk, **by(request), **valid(CancelSerializer, request))
        return Response(CriticalResultSerializer(done).data)
