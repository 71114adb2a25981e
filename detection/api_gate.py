"""REST: the image gate of a machine's films, and overruling it for one film."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from detection.api_by import by
from detection.selectors_gate import GateCounts, gate_counts
from detection.serializers import ErrorSerializer, RunSerializer
from detection.services import request as requests
from devices import moments
from devices.api import AT
from devices.selectors import twin


class GateReasonSerializer(serializers.Serializer[GateCounts]):
    """One reason and how often."""

    code = serializers.CharField()
    text = serializers.CharField()
    count = serializers.IntegerField()


class GateCountsSerializer(serializers.Serializer[GateCounts]):
    """Films of a machine at the image gate; nothing of any patient."""

    as_of = serializers.DateTimeField()
    films = serializers.IntegerField(help_text="that had come from the machine")
    refused = serializers.IntegerField(help_text="by the gate, whatever became of them after")
    overruled = serializers.IntegerField(help_text="of these, read because a person said so")
    share = serializers.FloatField(help_text="refused films among all, 0 to 1")
    reasons = GateReasonSerializer(many=True)
    last_refused_at = serializers.DateTimeField(allow_null=True)


class DeviceGateView(APIView):
    """What the gate refused of one machine's films."""

    required = Can.DEVICE_READ

    @extend_schema(
        operation_id="devices_gate_retrieve",
        parameters=[AT],
        responses={200: GateCountsSerializer, 400: ErrorSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Counts by reason, now or as of a past moment."""
        at = moments.past(request.query_params.get("at", ""), now=timezone.now())
        device = twin.get(pk)
        return Response(GateCountsSerializer(gate_counts(device_id=device.pk, at=at)).data)


class RunReadAnywayView(APIView):
    """The detector reads a film that the image gate refused."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="runs_read_anyway",
        request=None,
        responses={202: RunSerializer, 404: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """From refused to queued; 409 `bad_transition`, `not_gated`, `signed` or `claimed`."""
        run = requests.read_anyway(run_id=pk, **by(request))
        return Response(RunSerializer(run).data, status=status.HTTP_202_ACCEPTED)
