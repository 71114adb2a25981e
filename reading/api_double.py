"""REST: the readings of a film that two readers read, and a lead's decision."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from accounts.services import audit
from detection.api_by import by, valid
from detection.serializers import ErrorSerializer
from reading.selectors_double import standing_of
from reading.serializers_double import (
    AdjudicatedSerializer,
    AdjudicationInSerializer,
    ReadsSerializer,
)
from reading.services.adjudication import adjudicate


class ReadsView(APIView):
    """The readings of a film."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_reads", responses={200: ReadsSerializer, 404: ErrorSerializer}
    )
    def get(self, request: Request, pk: int) -> Response:
        """Before the signature: one's own; both for a lead who can decide. After it: all."""
        who = by(request)
        image, found = standing_of(image_id=pk, user=who["user"])
        audit.record(
            actor=who["user"],
            verb="viewed",
            obj=image,
            patient_id=image.series.study.patient_id,
            request=who["request"],
            detail={"reads": [read.pk for read in found.reads]},
        )
        return Response(ReadsSerializer(found).data)


class AdjudicateView(APIView):
    """Settling a difference."""

    required = Can.FINDING_REVIEW  # and that the reader leads, the service says

    @extend_schema(
        operation_id="images_adjudicate",
        request=AdjudicationInSerializer,
        responses={
            201: AdjudicatedSerializer,
            400: ErrorSerializer,
            403: ErrorSerializer,
            404: ErrorSerializer,
            409: ErrorSerializer,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Sign as the first or the second reader read, or an own report; by neither of the two."""
        signature = adjudicate(
            image_id=pk, **by(request), **valid(AdjudicationInSerializer, request)
        )
        return Response(AdjudicatedSerializer(signature).data, status=status.HTTP_201_CREATED)
