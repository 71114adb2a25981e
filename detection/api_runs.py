"""REST: runs and versions of the detector."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from accounts.services import audit
from detection import selectors
from detection.api_by import by
from detection.models import DetectionRun, DetectorVersion, Promotion
from detection.serializers import ErrorSerializer, RunSerializer
from detection.serializers_versions import (
    PromotionReasonSerializer,
    PromotionSerializer,
    VersionSerializer,
)
from detection.services import request as requests
from detection.services import versions


class RunView(APIView):
    """One reading of one image."""

    required = Can.IMAGE_READ

    @extend_schema(
        operation_id="runs_retrieve", responses={200: RunSerializer, 404: ErrorSerializer}
    )
    def get(self, request: Request, pk: int) -> Response:
        """State, reason, seconds, version, and the machine's trust as of the exposure."""
        runs = DetectionRun.objects.select_related(
            "version", "read_anyway_by", "image__series__study"
        )
        run = get_object_or_404(runs, pk=pk)
        who = by(request)
        audit.record(
            actor=who["user"],
            verb="viewed",
            obj=run,
            patient_id=run.image.series.study.patient_id,
            request=who["request"],
        )
        return Response(RunSerializer(run).data)


class RunRetryView(APIView):
    """Another try for a run that failed."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="runs_retry",
        request=None,
        responses={202: RunSerializer, 404: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """From failed to queued; 409 `bad_transition` from any other state."""
        run = requests.retry_run(run_id=pk, **by(request))
        return Response(RunSerializer(run).data, status=status.HTTP_202_ACCEPTED)


class VersionsView(generics.ListAPIView[DetectorVersion]):
    """The models: active, candidates, retired."""

    required = Can.VERSION_ADMIN
    serializer_class = VersionSerializer
    queryset = selectors.versions()
    filterset_fields = ["state", "config"]
    ordering_fields = ["created_at", "name", "state"]


class PromoteView(APIView):
    """Which model reads."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_promote",
        request=PromotionReasonSerializer,
        responses={
            200: VersionSerializer,
            400: ErrorSerializer,
            404: ErrorSerializer,
            409: ErrorSerializer,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Make it the active one; 409 if its weights file is missing or not what it was."""
        version = versions.promote(version_id=pk, reason=_reason(request), **by(request))
        return Response(VersionSerializer(version).data)


class RollBackView(APIView):
    """The version before the active one."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_rollback",
        request=PromotionReasonSerializer,
        responses={200: VersionSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make it the active one again; 409 `nothing_to_roll_back` if there was none."""
        version = versions.roll_back(reason=_reason(request), **by(request))
        return Response(VersionSerializer(version).data)


class PromotionsView(generics.ListAPIView[Promotion]):
    """Which version read when, newest first."""

    required = Can.VERSION_ADMIN
    serializer_class = PromotionSerializer
    queryset = selectors.promotions()
    filterset_fields = ["version", "rolled_back"]
    ordering_fields = ["at"]


def _reason(request: Request) -> str:
    asked = PromotionReasonSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return str(asked.validated_data["reason"])
