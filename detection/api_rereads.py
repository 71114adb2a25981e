"""REST: which findings and signed negatives came from a machine since a moment."""

from __future__ import annotations

from typing import cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from detection import selectors_rereads as selectors
from detection.serializers import ErrorSerializer
from detection.serializers_rereads import CameFromSerializer
from devices import moments
from devices.selectors import twin as twin_selectors
from devices.selectors.degraded import standing
from imaging.models import Image
from twinhealth.errors import InvalidInputError


class CameFromView(generics.GenericAPIView[Image]):
    """Films of a machine that a mark as degraded concerns, or would concern."""

    required = Can.REREAD_READ
    serializer_class = CameFromSerializer
    queryset = Image.objects.all()
    filter_backends = ()  # the selector sorts

    @extend_schema(
        operation_id="devices_re_read_list",
        responses={200: CameFromSerializer(many=True), 400: ErrorSerializer, 404: ErrorSerializer},
        parameters=[
            OpenApiParameter("since", OpenApiTypes.DATETIME),
            OpenApiParameter("until", OpenApiTypes.DATETIME),
        ],
    )
    def get(self, request: Request, pk: int) -> Response:
        """Oldest exposure first. Without `since`, those of the newest mark that stands.

        What an unsigned film shows is hidden from a reader who reads blind until his first read.
        """
        device, user = twin_selectors.get(pk), cast("User", request.user)
        asked = {name: request.query_params.get(name, "") for name in ("since", "until")}
        since, until = (moments.moment(text) if text else None for text in asked.values())
        if since is None:
            marks = standing(device.pk)
            if not marks:
                raise InvalidInputError(
                    "since_missing", "No mark as degraded stands: say since when."
                )
            since, until = marks[-1].since, until or marks[-1].until
        found = selectors.came_from(device_id=device.pk, since=since, until=until, user=user)
        page = self.paginate_queryset(found) or []
        if may(user, Can.FINDING_REVIEW):
            audit.record(
                actor=user,
                verb="listed",
                obj=device,
                request=request,
                detail={"films": [image.pk for image in page]},
            )
        body = CameFromSerializer(page, many=True, context={"request": request}).data
        return self.get_paginated_response(body)
