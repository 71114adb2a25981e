"""REST: addenda of a signed film."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from detection.api_by import by, valid
from detection.serializers import ErrorSerializer
from reading.serializers_critical import AddendumInSerializer, AddendumSerializer
from reading.services import addenda


class AddendaView(APIView):
    """What was added to a signed film."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_addenda_create",
        request=AddendumInSerializer,
        responses={
            201: AddendumSerializer,
            400: ErrorSerializer,
            404: ErrorSerializer,
            409: ErrorSerializer,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Add a text; 409 `not_signed` before the signature."""
        made = addenda.add(image_id=pk, **by(request), **valid(AddendumInSerializer, request))
        return Response(AddendumSerializer(made).data, status=status.HTTP_201_CREATED)
