"""REST: text blocks."""

from __future__ import annotations

from typing import cast

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from accounts.services import audit
from detection import blinding
from detection.api_by import by, valid
from detection.serializers import ErrorSerializer
from reading.models import TextBlock
from reading.selectors_blocks import blocks_of, filling
from reading.serializers_report import (
    FilmBlocksSerializer,
    TextBlockInSerializer,
    TextBlockSerializer,
)
from reading.services import text_blocks

_WRONG = dict.fromkeys((400, 403, 404, 409), ErrorSerializer)


class TextBlocksView(generics.GenericAPIView[TextBlock]):
    """Text blocks in use: one's own and the shared ones."""

    required = Can.TEXT_BLOCKS
    serializer_class = TextBlockSerializer
    queryset = TextBlock.objects.all()
    filter_backends = ()  # the selector sorts

    @extend_schema(operation_id="text_blocks_list", responses=TextBlockSerializer(many=True))
    def get(self, request: Request) -> Response:
        """By section and code."""
        page = self.paginate_queryset(blocks_of(cast("User", request.user))) or []
        return self.get_paginated_response(TextBlockSerializer(page, many=True).data)

    @extend_schema(
        operation_id="text_blocks_create",
        request=TextBlockInSerializer,
        responses={201: TextBlockSerializer, **_WRONG},
    )
    def post(self, request: Request) -> Response:
        """Make one; a shared one as an admin or a reading lead."""
        made = text_blocks.save(**by(request), **valid(TextBlockInSerializer, request))
        return Response(TextBlockSerializer(made).data, status=status.HTTP_201_CREATED)


class TextBlockView(APIView):
    """One text block."""

    required = Can.TEXT_BLOCKS

    @extend_schema(
        operation_id="text_blocks_update",
        request=TextBlockInSerializer,
        responses={200: TextBlockSerializer, **_WRONG},
    )
    def put(self, request: Request, pk: int) -> Response:
        """Change it; who keeps it stays as it is."""
        saved = text_blocks.save(
            block_id=pk, **by(request), **valid(TextBlockInSerializer, request)
        )
        return Response(TextBlockSerializer(saved).data)

    @extend_schema(operation_id="text_blocks_archive", responses={204: None, 404: ErrorSerializer})
    def delete(self, request: Request, pk: int) -> Response:
        """Take it out of use."""
        text_blocks.archive(block_id=pk, **by(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class FilmBlocksView(APIView):
    """Text blocks for one film's report."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_text_blocks",
        responses={200: FilmBlocksSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        """All in use, with what this film says for their placeholders."""
        found = filling(pk, by(request)["user"])
        audit.record(
            actor=by(request)["user"],
            verb="viewed",
            obj=found.image,
            patient_id=found.patient_id,
            request=by(request)["request"],
            detail=blinding.seen(hidden=found.hidden),
        )
        body = {
            "blocks": blocks_of(by(request)["user"]),
            "values": found.values,
            "findings": found.findings,
        }
        return Response(FilmBlocksSerializer(body).data)
