"""REST: exported sets."""

from __future__ import annotations

from pathlib import Path

from django.http import FileResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from detection import selectors_dataset
from detection.api_by import by
from detection.models import DatasetVersion
from detection.serializers import ErrorSerializer
from detection.serializers_datasets import (
    DatasetDetailSerializer,
    DatasetExportInSerializer,
    DatasetExportSerializer,
    DatasetSerializer,
)
from detection.services import dataset_exports
from imaging.api import AnswerAnyway


class DatasetsView(generics.ListAPIView[DatasetVersion]):
    """Versions of exported sets, newest first."""

    required = Can.DATASET_EXPORT
    serializer_class = DatasetSerializer
    queryset = selectors_dataset.dataset_versions()
    filterset_fields = ["name"]
    ordering_fields = ["created_at", "name", "number"]

    @extend_schema(
        operation_id="datasets_export",
        request=DatasetExportInSerializer,
        responses={202: DatasetExportSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        """Have a worker write one; 409 `export_running` while another is under way."""
        body = DatasetExportInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        export = dataset_exports.request_export(**by(request), **body.validated_data)
        return Response(DatasetExportSerializer(export).data, status=status.HTTP_202_ACCEPTED)


class DatasetView(generics.RetrieveAPIView[DatasetVersion]):
    """One version: counts per split and class, what was left out, what changed."""

    required = Can.DATASET_EXPORT
    serializer_class = DatasetDetailSerializer
    queryset = selectors_dataset.dataset_versions()


class DatasetExportView(APIView):
    """How far an export is."""

    required = Can.DATASET_EXPORT

    @extend_schema(
        operation_id="dataset_exports_retrieve",
        responses={200: DatasetExportSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        """`done` of `total` films are written; `version` is there at the end."""
        export = get_object_or_404(selectors_dataset.exports(), pk=pk)
        return Response(DatasetExportSerializer(export).data)


class DatasetDownloadView(APIView):
    """The zip of a version."""

    required = Can.DATASET_EXPORT
    content_negotiation_class = AnswerAnyway

    @extend_schema(
        operation_id="datasets_download",
        responses={(200, "application/zip"): OpenApiTypes.BINARY, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Pictures and annotations; each patient's audit trail says who took it."""
        return zip_response(*dataset_exports.open_archive(version_id=pk, **by(request)))


def zip_response(version: DatasetVersion, path: Path) -> FileResponse:
    """The file under a name that says which version it is; never kept by a proxy."""
    response = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=f"{version.name}-{version.number}.zip",
        content_type="application/zip",
    )
    response["Cache-Control"] = "no-store"
    return response
