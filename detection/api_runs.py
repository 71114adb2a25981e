"""REST: runs and versions of the detector."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from accounts.services import audit
from detection import blinding
from detection.api_by import by
from detection.models import DetectionRun
from detection.serializers import ErrorSerializer, RunSerializer
from detection.services import request as requests


class RunView(APIView):
    """One reading of one image."""

    required = Can.IMAGE_READ

    @extend_schema(
        operation_id="runs_retrieve",
        responses={200: RunSerializer, 404: ErrorSerializer, 409: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        """State, reason, seconds, version, and the machine's trust as of the exposure.

        409 `first_impression_missing` while the model is hidden from a blinded reader.
        """
        runs = DetectionRun.objects.select_related(
            "version", "read_anyway_by", "image__series__study"
        )
        run = get_object_or_404(runs, pk=pk)
        who = by(request)
        blinding.refuse_hidden(run.image_id, who["user"])
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
