"""REST: a reader's named filters of the worklist."""

from __future__ import annotations

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from detection.api_by import by, valid
from detection.serializers import ErrorSerializer
from reading.api_lists import PAGES
from reading.models import SavedView
from reading.selectors import saved_views as views_of
from reading.serializers import SavedViewInSerializer, SavedViewSerializer
from reading.services import saved_views


class SavedViewsView(generics.GenericAPIView[SavedView]):
    """One's own views."""

    required = Can.WORKLIST_READ
    serializer_class = SavedViewSerializer
    queryset = SavedView.objects.all()
    filter_backends = ()

    @extend_schema(
        operation_id="saved_views_list",
        responses=SavedViewSerializer(many=True),
        parameters=[*PAGES],
    )
    def get(self, request: Request) -> Response:
        """By name."""
        page = self.paginate_queryset(views_of(cast("User", request.user))) or []
        return self.get_paginated_response(SavedViewSerializer(page, many=True).data)

    @extend_schema(
        operation_id="saved_views_create",
        request=SavedViewInSerializer,
        responses={201: SavedViewSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        """Keep filters under a name; a view of that name is written over."""
        made = saved_views.save(**by(request), **valid(SavedViewInSerializer, request))
        return Response(SavedViewSerializer(made).data, status=status.HTTP_201_CREATED)


class SavedViewView(APIView):
    """One view."""

    required = Can.WORKLIST_READ

    @extend_schema(operation_id="saved_views_delete", responses={204: None, 404: ErrorSerializer})
    def delete(self, request: Request, pk: int) -> Response:
        """Forget it; 404 `no_such_view` for another reader's."""
        saved_views.delete(view_id=pk, **by(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
