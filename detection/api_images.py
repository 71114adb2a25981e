"""REST: images with their runs. The list is imaging's; upload and one image need this room."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from drf_spectacular.utils import PolymorphicProxySerializer, extend_schema, extend_schema_view
from rest_framework import status
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from accounts.services import audit
from detection import blinding, selectors
from detection.api_by import by
from detection.serializers import ErrorSerializer, StoredSerializer
from detection.serializers_film import FilmSerializer
from imaging.api import ImageListView
from imaging.models.image import Door
from imaging.serializers import DoseReportStoredSerializer, UploadSerializer
from imaging.services.doors import receive_upload
from imaging.services.dose_reports import DoseResult

StoredOrDoseReport = PolymorphicProxySerializer(
    component_name="StoredOrDoseReport",
    serializers=[StoredSerializer, DoseReportStoredSerializer],
    resource_type_field_name=None,
)


@extend_schema_view(get=extend_schema(operation_id="images_list"))
class ImagesView(ImageListView):
    """All images, and the door of the REST interface."""

    required: Any = {"get": Can.IMAGE_READ, "post": Can.IMAGE_UPLOAD}
    parser_classes = (MultiPartParser, FormParser)

    @extend_schema(
        operation_id="images_create",
        request={"multipart/form-data": UploadSerializer},
        responses={
            201: StoredOrDoseReport,
            200: StoredOrDoseReport,
            400: ErrorSerializer,
            409: ErrorSerializer,
            413: ErrorSerializer,
            503: ErrorSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Store a film and have it read. The same bytes again: 200, `duplicate` is true.

        A radiation dose report (X-Ray Radiation Dose SR) is kept and read for its machine: answers
        with `dose_report` and `events`. 409 `sop_uid_conflict` or `identity_conflict`: kept in
        quarantine.
        """
        who = by(request)
        result = receive_upload(
            files=request.FILES,
            fields=cast("Mapping[str, str]", request.data),
            door=Door.REST,
            actor=who["user"],
            request=who["request"],
        )
        code = status.HTTP_200_OK if result.duplicate else status.HTTP_201_CREATED
        if isinstance(result, DoseResult):
            return Response(DoseReportStoredSerializer(result).data, status=code)
        stored = StoredSerializer(result, context={"request": request})
        return Response(stored.data, status=code)


class ImageView(APIView):
    """One image: metadata, machine, runs, findings of the latest run."""

    required = Can.IMAGE_READ

    @extend_schema(
        operation_id="images_retrieve", responses={200: FilmSerializer, 404: ErrorSerializer}
    )
    def get(self, request: Request, pk: int) -> Response:
        """Boxes are in pixels of the stored image; `model_hidden`: not before one's first read."""
        who = by(request)
        film = selectors.film(image_id=pk, user=who["user"])
        audit.record(
            actor=who["user"],
            verb="viewed",
            obj=film.image,
            patient_id=film.patient.pk,
            request=who["request"],
            detail=blinding.seen(hidden=film.hidden),
        )
        return Response(FilmSerializer(film.image, context={"request": request, "film": film}).data)
