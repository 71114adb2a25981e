"""REST: exported sets, having one written, and what to label next."""

from __future__ import annotations

from pathlib import Path
from typing import cast

from django.http import FileResponse, HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from accounts.services import audit
from detection import labelling, selectors_dataset, selectors_labelling
from detection.api_by import by
from detection.models import DatasetExport, DatasetVersion, WorklistItem
from detection.serializers import ErrorSerializer
from detection.serializers_datasets import (
    DatasetDetailSerializer,
    DatasetExportInSerializer,
    DatasetExportSerializer,
    DatasetSerializer,
    LabelRowSerializer,
)
from detection.services import dataset_exports
from imaging.api import AnswerAnyway

_WHY = "; ".join(f"`{code}`: {text}" for code, text in labelling.WHY.items())


class DatasetsView(generics.ListAPIView[DatasetVersion]):
    """The sets of signed films that were exported, newest first."""

    required = Can.DATASET_EXPORT
    serializer_class = DatasetSerializer
    queryset = selectors_dataset.datasets()
    filterset_fields = ["name", "number", "sha256"]
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
    """One exported version of a set."""

    required = Can.DATASET_EXPORT
    serializer_class = DatasetDetailSerializer
    queryset = selectors_dataset.datasets()


class DatasetExportsView(generics.ListAPIView[DatasetExport]):
    """Wishes for a set and what became of them, newest first."""

    required = Can.DATASET_EXPORT
    serializer_class = DatasetExportSerializer
    queryset = selectors_dataset.exports()
    filterset_fields = ["name", "state"]
    ordering_fields = ["requested_at"]


class DatasetExportView(generics.RetrieveAPIView[DatasetExport]):
    """How far an export is: `done` of `total` films; `version` is there at the end."""

    required = Can.DATASET_EXPORT
    serializer_class = DatasetExportSerializer
    queryset = selectors_dataset.exports()


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
    """The file, piece by piece, under a name that says which version it is; no proxy keeps it."""
    response = FileResponse(
        path.open("rb"),
        as_attachment=True,
        filename=f"{version.name}-{version.number}.zip",
        content_type="application/zip",
    )
    response["Cache-Control"] = "no-store"
    return response


class LabelNextView(generics.GenericAPIView[WorklistItem]):
    """Films worth a reader's label, the most telling first."""

    required = Can.WORKLIST_READ
    serializer_class = LabelRowSerializer
    queryset = WorklistItem.objects.all()
    filter_backends = ()  # the reasons are a rule's, not columns

    @extend_schema(
        operation_id="label_next_list",
        responses=LabelRowSerializer(many=True),
        parameters=[
            OpenApiParameter("why", enum=list(labelling.WHY), description=_WHY),
            OpenApiParameter("page", OpenApiTypes.INT),
            OpenApiParameter("page_size", OpenApiTypes.INT),
        ],
    )
    def get(self, request: Request) -> Response:
        """`why` is the sentence, `reasons` its parts, strongest first."""
        ranked = selectors_labelling.Ranked(
            by(request)["user"], request.query_params.get("why", "")
        )
        rows = cast("list[selectors_labelling.LabelRow]", self.paginate_queryset(ranked))  # type: ignore[arg-type]
        audit.record(
            actor=cast("User", request.user),
            verb="listed",
            obj=WorklistItem,
            request=by(request)["request"],
            detail={"images": [row.image.pk for row in rows]},
        )
        return self.get_paginated_response(LabelRowSerializer(rows, many=True).data)
