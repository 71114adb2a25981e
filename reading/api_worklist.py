"""REST: what to read next."""

from __future__ import annotations

from typing import cast

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.permissions import Can
from accounts.services import audit
from detection import selectors
from detection.api_by import by
from detection.models import Label, Trust, WorklistItem
from detection.serializers import WorklistRowSerializer
from reading.queues import QUEUES, queues
from reading.selectors_double import not_for

_SHOW = "; ".join(f"`{key}`: {text}" for key, text in (selectors.SHOW | QUEUES).items() if key)


class WorklistView(generics.GenericAPIView[WorklistItem]):
    """Films that wait for a reader, most urgent first."""

    required = Can.WORKLIST_READ
    serializer_class = WorklistRowSerializer
    queryset = WorklistItem.objects.all()
    filter_backends = ()  # the selector filters and sorts: some orders need the clock

    @extend_schema(
        operation_id="worklist_list",
        responses=WorklistRowSerializer(many=True),
        parameters=[
            OpenApiParameter(
                "show",
                enum=[*(key for key in selectors.SHOW if key), *QUEUES],
                description=f"Without it, films that need a reader now. {_SHOW}",
            ),
            OpenApiParameter("device", OpenApiTypes.INT),
            OpenApiParameter("patient", OpenApiTypes.INT),
            OpenApiParameter("trust", enum=Trust.values),
            OpenApiParameter("label", enum=Label.values),
            OpenApiParameter("ordering", enum=list(selectors.ORDERINGS)),
            OpenApiParameter("page", OpenApiTypes.INT),
            OpenApiParameter("page_size", OpenApiTypes.INT),
        ],
    )
    def get(self, request: Request) -> Response:
        """`why` is the sentence that put a film where it is."""
        user = cast("User", request.user)
        now = timezone.now()
        filters = request.query_params.dict()
        queue = queues(user).get(filters.get("show", ""))
        items = selectors.worklist_items(
            user=user,
            filters=filters | ({} if queue is None else {"show": "all"}),
            ordering=filters.get("ordering", ""),
            now=now,
        )
        if queue is None:
            items = items.exclude(image_id__in=not_for(user))
        else:
            items = items.filter(image_id__in=queue)
        page = self.paginate_queryset(items)
        rows = selectors.rows_of(page or [], user=user, now=now)
        audit.record(
            actor=user,
            verb="listed",
            obj=WorklistItem,
            request=by(request)["request"],
            detail={"images": [row.image.pk for row in rows]},
        )
        return self.get_paginated_response(WorklistRowSerializer(rows, many=True).data)
