"""REST of audit files, tables, and disclosure statements."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db import transaction
from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import csvsafe
from accounts.permissions import Can
from devices.api import actor
from devices.api_alerts import given_by
from devices.api_maintenance import Base, pk_filter
from devices.fields import LARGEST_ID
from devices.models import DeviceModel

from . import selectors
from . import serializers as shapes
from .models import AuditFile, AuditFileState, ImportKind, ImportState, InventoryImport
from .services import audit_files, imports, mds2
from .views_files import FATES_HEADER, fates, taken


class AuditFileFilters(django_filters.FilterSet):
    """By machine and state."""

    device = pk_filter("device")
    state = django_filters.ChoiceFilter(choices=AuditFileState.choices)

    class Meta:
        model = AuditFile
        fields: list[str] = []


class AuditFileViewSet(Base):
    """Files for the inspector, made by a worker."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "create": Can.MAINTENANCE_READ,
        "pdf": Can.MAINTENANCE_READ,
        "zip": Can.MAINTENANCE_READ,
    }
    queryset = selectors.audit_files()
    serializer_class = shapes.AuditFileSerializer
    filterset_class = AuditFileFilters
    ordering_fields = ["requested_at", "starts_on"]

    @extend_schema(summary="One audit file", responses=shapes.AuditFileSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """How far it is, and its hashes."""
        return Response(shapes.AuditFileSerializer(self._one(pk)).data)

    @extend_schema(
        summary="Ask for an audit file",
        request=shapes.NewAuditFileSerializer,
        responses={201: shapes.AuditFileSerializer},
    )
    def create(self, request: Request) -> Response:
        """A worker makes it; look again until it is done."""
        given = given_by(shapes.NewAuditFileSerializer, request)
        made = audit_files.ask(actor=actor(request), request=request, **given)
        return Response(shapes.AuditFileSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Its PDF", responses={(200, "application/pdf"): bytes})
    @action(detail=True, methods=["get"])
    def pdf(self, request: Request, pk: str) -> HttpResponseBase:
        """404 `not_made_yet` until it is done."""
        return taken(request, int(pk), "pdf")

    @extend_schema(summary="Its CSV files", responses={(200, "application/zip"): bytes})
    @action(detail=True, methods=["get"])
    def zip(self, request: Request, pk: str) -> HttpResponseBase:
        """404 `not_made_yet` until it is done."""
        return taken(request, int(pk), "zip")

    def _one(self, pk: str) -> AuditFile:
        return selectors.one(selectors.audit_files(), int(pk), "audit_file_not_found")


class InventoryImportFilters(django_filters.FilterSet):
    """By kind and state."""

    kind = django_filters.ChoiceFilter(choices=ImportKind.choices)
    state = django_filters.ChoiceFilter(choices=ImportState.choices)

    class Meta:
        model = InventoryImport
        fields: list[str] = []


class InventoryImportViewSet(Base):
    """Tables: sent, looked through, applied or discarded."""

    required = {
        "list": Can.MAINTENANCE_PLAN,
        "create": Can.MAINTENANCE_PLAN,
        "retrieve": Can.MAINTENANCE_PLAN,
        "apply": Can.MAINTENANCE_PLAN,
        "discard": Can.MAINTENANCE_PLAN,
        "rows": Can.MAINTENANCE_PLAN,
        "fates": Can.MAINTENANCE_PLAN,
    }
    queryset = selectors.imports()
    serializer_class = shapes.InventoryImportSerializer
    filterset_class = InventoryImportFilters
    ordering_fields = ["requested_at"]

    @extend_schema(
        summary="Send a table; a dry run is made, nothing is stored yet",
        request={"multipart/form-data": shapes.NewInventoryImportSerializer},
        responses={201: shapes.InventoryImportSerializer},
    )
    def create(self, request: Request) -> Response:
        """At most 20 MB and 10,000 rows."""
        given = given_by(shapes.NewInventoryImportSerializer, request)
        file = given.pop("file")
        job = imports.receive(
            source=file, filename=file.name or "", actor=actor(request), request=request, **given
        )
        return Response(shapes.InventoryImportSerializer(job).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="How far it is", responses=shapes.InventoryImportSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """With how many rows have which fate."""
        return Response(shapes.InventoryImportSerializer(self._one(pk)).data)

    @extend_schema(summary="Apply it", request=None, responses=shapes.InventoryImportSerializer)
    @action(detail=True, methods=["post"])
    def apply(self, request: Request, pk: str) -> Response:
        """All of it or nothing; 409 `rows_refused` while a row is refused."""
        job = imports.apply(job=self._one(pk), actor=actor(request), request=request)
        return Response(shapes.InventoryImportSerializer(job).data)

    @extend_schema(summary="Discard it", request=None, responses=shapes.InventoryImportSerializer)
    @action(detail=True, methods=["post"])
    def discard(self, request: Request, pk: str) -> Response:
        """Nothing of it is stored."""
        job = imports.discard(job=self._one(pk), actor=actor(request), request=request)
        return Response(shapes.InventoryImportSerializer(job).data)

    @extend_schema(
        operation_id="inventory_imports_rows_list",
        summary="Each row's fate",
        responses=shapes.ImportFateSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"])
    def rows(self, request: Request, pk: str) -> Response:
        """In the file's order."""
        page: Any = self.paginate_queryset(self._one(pk).fates.order_by("pk"))
        return self.get_paginated_response(shapes.ImportFateSerializer(page, many=True).data)

    @extend_schema(
        summary="Each row's fate as CSV", responses={(200, "text/csv"): OpenApiTypes.STR}
    )
    @action(detail=True, methods=["get"], pagination_class=None, url_path="fates.csv")
    def fates(self, request: Request, pk: str) -> HttpResponseBase:
        """Line, key, fate, changes, column, code, message."""
        lines = csvsafe.stream(FATES_HEADER, fates(self._one(pk)))
        return StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")

    def get_parsers(self) -> Any:
        """A file comes as a form; the steps have no body to speak of."""
        return [MultiPartParser(), *super().get_parsers()]

    def _one(self, pk: str) -> InventoryImport:
        return selectors.one(selectors.imports(), int(pk), "import_not_found")


class Mds2View(APIView):
    """A model's disclosure statement."""

    required = {"get": Can.MAINTENANCE_READ, "put": Can.MAINTENANCE_PLAN}

    @extend_schema(summary="A model's MDS2", responses=shapes.Mds2Serializer)
    def get(self, request: Request, pk: int) -> Response:
        """Every question, with its answer if it has one."""
        return self._shown(pk)

    @extend_schema(
        summary="Answer questions of a model's MDS2",
        request=shapes.Mds2Serializer,
        responses=shapes.Mds2Serializer,
    )
    def put(self, request: Request, pk: int) -> Response:
        """What isn't named stays; an empty answer takes one away."""
        model = self._model(pk)
        given = given_by(shapes.Mds2Serializer, request)
        sheet = getattr(model, "mds2", None)
        who: dict[str, Any] = {"model": model, "actor": actor(request), "request": request}
        with transaction.atomic():
            if {"document", "document_date"} & given.keys():
                mds2.set_document(
                    document=given.get("document", sheet.document if sheet else ""),
                    document_date=given.get(
                        "document_date", sheet.document_date if sheet else None
                    ),
                    **who,
                )
            answers = {a["code"]: (a["answer"], a["note"]) for a in given.get("answers", [])}
            mds2.answer(answers=answers, **who)
        return self._shown(pk)

    def _model(self, pk: int) -> DeviceModel:
        found = DeviceModel.objects.select_related("mds2")
        return selectors.one(found, min(pk, LARGEST_ID), "model_not_found")

    def _shown(self, pk: int) -> Response:
        model = self._model(pk)
        sheet, rows = getattr(model, "mds2", None), selectors.questions(model)
        found = {
            "document": sheet.document if sheet else "",
            "document_date": sheet.document_date if sheet else None,
            "unanswered": [r["question"].code for r in rows if r["answer"] is None],
            "answers": [
                {
                    "code": r["question"].code,
                    "section": r["question"].section,
                    "question": r["question"].text,
                    "answer": r["answer"].answer if r["answer"] else "",
                    "note": r["answer"].note if r["answer"] else "",
                }
                for r in rows
            ],
        }
        return Response(shapes.Mds2Serializer(found).data)
