"""REST: exported sets, and what to label next."""

from __future__ import annotations

from typing import cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.permissions import Can
from accounts.services import audit
from detection import labelling, selectors_dataset, selectors_labelling
from detection.api_by import by
from detection.models import DatasetVersion, WorklistItem
from detection.serializers_datasets import DatasetSerializer, LabelRowSerializer

_WHY = "; ".join(f"`{code}`: {text}" for code, text in labelling.WHY.items())


class DatasetsView(generics.ListAPIView[DatasetVersion]):
    """The sets of signed films that were exported, newest first."""

    required = Can.VERSION_ADMIN
    serializer_class = DatasetSerializer
    queryset = selectors_dataset.datasets()
    filterset_fields = ["name", "number", "sha256"]
    ordering_fields = ["created_at", "name", "number"]


class DatasetView(generics.RetrieveAPIView[DatasetVersion]):
    """One exported version of a set."""

    required = Can.VERSION_ADMIN
    serializer_class = DatasetSerializer
    queryset = selectors_dataset.datasets()


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
        chosen = selectors_labelling.with_reason(
            selectors_labelling.candidates(), request.query_params.get("why", "")
        )
        page = self.paginate_queryset(chosen)
        rows = selectors_labelling.label_rows(cast("list[selectors_labelling.Candidate]", page))
        audit.record(
            actor=cast("User", request.user),
            verb="listed",
            obj=WorklistItem,
            request=by(request)["request"],
            detail={"images": [row.image.pk for row in rows]},
        )
        return self.get_paginated_response(LabelRowSerializer(rows, many=True).data)
