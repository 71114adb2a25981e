"""REST: sending weights, and what became of them."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Can
from detection import selectors_versions
from detection.api_by import by
from detection.models import WeightsUpload
from detection.serializers import ErrorSerializer
from detection.serializers_uploads import WeightsUploadInSerializer, WeightsUploadSerializer
from detection.services import uploads
from imaging.services.doors import check_request_size


class UploadsView(generics.ListAPIView[WeightsUpload]):
    """Weights that admins sent, newest first."""

    required = Can.VERSION_ADMIN
    serializer_class = WeightsUploadSerializer
    parser_classes = (MultiPartParser,)
    filterset_fields = ["state", "name", "sha256"]
    ordering_fields = ["uploaded_at"]
    queryset = selectors_versions.uploads()

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Size first: signing in by session reads the whole form for its CSRF token."""
        check_request_size(request.META.get("CONTENT_LENGTH"), limit=uploads.most_bytes())
        super().initial(request, *args, **kwargs)

    @extend_schema(
        operation_id="detector_versions_uploads_create",
        request={"multipart/form-data": WeightsUploadInSerializer},
        responses={
            202: WeightsUploadSerializer,
            400: ErrorSerializer,
            409: ErrorSerializer,
            413: ErrorSerializer,
            503: ErrorSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Store weights with their manifest; a worker checks them before they are a version."""
        made = uploads.receive_form(request.FILES, **by(request))
        return Response(WeightsUploadSerializer(made).data, status=status.HTTP_202_ACCEPTED)


class UploadView(generics.RetrieveAPIView[WeightsUpload]):
    """`uploaded`, `checking`, `accepted` with the version's number, or `refused` with why."""

    required = Can.VERSION_ADMIN
    serializer_class = WeightsUploadSerializer
    queryset = selectors_versions.uploads()
