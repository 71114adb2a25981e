"""REST: what to label next."""

from __future__ import annotations

from typing import cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from accounts.services import audit
from detection.api_by import by
from detection.labelling import WORDS
from detection.models import WorklistItem
from detection.selectors_labelling import label_next
from detection.serializers_datasets import LabelRowSerializer
from twinhealth.web.pagination import PageNumberPagination

_WHY = "; ".join(f"`{why}`: {words}" for why, words in WORDS.items())


class LabelNextView(APIView):
    """Films whose label would teach the detector most."""

    required = Can.WORKLIST_READ

    @extend_schema(
        operation_id="label_next_list",
        responses=LabelRowSerializer(many=True),
        parameters=[
            OpenApiParameter("why", enum=list(WORDS), description=_WHY),
            OpenApiParameter("device", OpenApiTypes.INT),
            OpenApiParameter("page", OpenApiTypes.INT),
            OpenApiParameter("page_size", OpenApiTypes.INT),
        ],
    )
    def get(self, request: Request) -> Response:
        """`why` is the sentence with all reasons; `conclusion` is empty while verdicts are open."""
        user = cast("User", request.user)
        found = label_next(user=user, filters=request.query_params.dict())
        pages = PageNumberPagination()
        page = pages.paginate_queryset(found.wanted, request, view=self)
        rows = found.rows(page or [])
        audit.record(
            actor=user,
            verb="listed",
            obj=WorklistItem,
            request=by(request)["request"],
            detail={"images": [row.wanted.image for row in rows]},
        )
        return pages.get_paginated_response(LabelRowSerializer(rows, many=True).data)
