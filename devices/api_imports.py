"""REST of files of readings."""

from __future__ import annotations

import json
from typing import Any, cast

from django.conf import settings
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from accounts.permissions import Can
from devices.csv_readings import Dialect
from devices.models import ReadingImport
from devices.selectors import imports as selectors
from devices.services import reading_imports as services
from twinhealth.errors import InvalidInputError, TooLargeError

_OVERHEAD = 1 << 20
_OPTIONS = set(Dialect.__dataclass_fields__)


class ReadingImportSerializer(serializers.ModelSerializer[ReadingImport]):
    """A file of readings, and how far it is."""

    requested_by = serializers.CharField(
        source="requested_by.username", allow_null=True, default=None
    )

    class Meta:
        model = ReadingImport
        fields = [
            "id", "filename", "size", "sha256", "dialect", "state", "rows_done", "accepted",
            "duplicates", "refused", "message", "requested_by", "requested_at", "finished_at",
        ]  # fmt: skip


class ReadingImportDetailSerializer(ReadingImportSerializer):
    """With the fates of its first rows."""

    class Meta(ReadingImportSerializer.Meta):
        fields = [*ReadingImportSerializer.Meta.fields, "preview"]


class NewReadingImportSerializer(serializers.Serializer[Any]):
    """A file, and where its own signs mislead, how it is to be read."""

    file = serializers.FileField()
    options = serializers.JSONField(required=False)


class ReadingImportViewSet(GenericViewSet[Any]):
    """Files of readings: sent, looked through, stored or discarded."""

    required = {
        "list": Can.READING_WRITE,
        "create": Can.READING_WRITE,
        "retrieve": Can.READING_WRITE,
        "store": Can.READING_WRITE,
        "discard": Can.READING_WRITE,
        "refused": Can.READING_WRITE,
    }
    queryset = ReadingImport.objects.none()
    serializer_class = ReadingImportSerializer
    lookup_value_regex = r"\d{1,18}"
    filter_backends = []

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Size first: signing in by session reads the whole form for its CSRF token."""
        sent = request.META.get("CONTENT_LENGTH") or ""
        if sent.isdecimal() and int(sent) > settings.MAX_IMPORT_BYTES + _OVERHEAD:
            raise TooLargeError(
                "file_too_large",
                f"The file is larger than {settings.MAX_IMPORT_BYTES} bytes; send parts.",
                max_bytes=settings.MAX_IMPORT_BYTES,
            )
        super().initial(request, *args, **kwargs)

    def _who(self, request: Request) -> dict[str, Any]:
        return {"actor": cast("User", request.user), "request": request}

    @extend_schema(summary="Files of readings, newest first")
    def list(self, request: Request) -> Response:
        """All of them."""
        page: Any = self.paginate_queryset(selectors.imports())
        return self.get_paginated_response(ReadingImportSerializer(page, many=True).data)

    @extend_schema(
        summary="Send a file of readings; it is looked through, nothing is stored yet",
        request={"multipart/form-data": NewReadingImportSerializer},
        responses={201: ReadingImportDetailSerializer},
    )
    def create(self, request: Request) -> Response:
        """`options`: JSON with encoding, delimiter, decimal, form, columns, zone, device."""
        upload = request.FILES.get("file")
        if upload is None:
            raise InvalidInputError("file_missing", "Send one file, in the part named `file`.")
        job = services.receive(
            source=cast("Any", upload),
            filename=upload.name or "",
            options=_options(cast("Any", request.data).get("options", "")),
            **self._who(request),
        )
        return Response(ReadingImportDetailSerializer(job).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="How far it is", responses=ReadingImportDetailSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Counts, and the fates of its first 200 readings."""
        return Response(ReadingImportDetailSerializer(selectors.get(int(pk))).data)

    @extend_schema(
        summary="Store its good rows", request=None, responses=ReadingImportDetailSerializer
    )
    @action(detail=True, methods=["post"])
    def store(self, request: Request, pk: str) -> Response:
        """Once it was looked through; a worker does it."""
        job = services.store(job=selectors.get(int(pk)), **self._who(request))
        return Response(ReadingImportDetailSerializer(job).data)

    @extend_schema(summary="Discard it", request=None, responses=ReadingImportDetailSerializer)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str) -> Response:
        """Nothing of it is stored."""
        job = services.discard(job=selectors.get(int(pk)), **self._who(request))
        return Response(ReadingImportDetailSerializer(job).data)

    @extend_schema(
        summary="Its refused rows as CSV", responses={(200, "text/csv"): OpenApiTypes.STR}
    )
    @action(detail=True, methods=["get"], pagination_class=None)
    def refused(self, request: Request, pk: str) -> HttpResponseBase:
        """Line, metric, code, message and the row."""
        lines = selectors.refused_csv(selectors.get(int(pk)))
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")

    def get_parsers(self) -> Any:
        """A file comes as a form; the steps have no body to speak of."""
        parsers = super().get_parsers()
        return [MultiPartParser(), *parsers]


def _options(text: Any) -> dict[str, Any]:
    if not text:
        return {}
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        found = None
    plain = isinstance(found, dict) and found.keys() <= _OPTIONS
    if plain:
        columns = found.get("columns", {})
        plain = isinstance(columns, dict) and all(isinstance(v, str) for v in columns.values())
        plain &= all(isinstance(v, str) for k, v in found.items() if k != "columns")
    if not plain:
        raise InvalidInputError(
            "unknown_dialect", f"`options` is a JSON object with {', '.join(sorted(_OPTIONS))}."
        )
    return dict(found)
