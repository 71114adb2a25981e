"""REST: re-read lists, and working them off."""

from __future__ import annotations

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can, may
from accounts.services import audit
from detection import selectors_rereads as selectors
from detection.api_by import by, valid
from detection.models import ReRead, ReReadList, ReReadWhy
from detection.serializers import ErrorSerializer
from detection.services import rereads
from reading.api_lists import PAGES
from reading.serializers_rereads import (
    ReReadAssignSerializer,
    ReReadDetailSerializer,
    ReReadDoneSerializer,
    ReReadListSerializer,
    ReReadOutcomeSerializer,
    ReReadRecordSerializer,
    ReReadReopenSerializer,
    ReReadSerializer,
)
from reading.services import re_reads
from twinhealth.errors import InvalidInputError, NotFoundError

_WRONG = dict.fromkeys((400, 403, 404, 409), ErrorSerializer)
_FILTERS = ("show", "why", "when", "assignee", "ordering")


class ListsView(generics.GenericAPIView[ReReadList]):
    """Every mark as degraded with how far its films are."""

    required = Can.REREAD_READ
    serializer_class = ReReadListSerializer
    queryset = ReReadList.objects.all()
    filter_backends = ()

    @extend_schema(
        operation_id="re_read_lists_list",
        responses=ReReadListSerializer(many=True),
        parameters=[OpenApiParameter("device", OpenApiTypes.INT), *PAGES],
    )
    def get(self, request: Request) -> Response:
        """Standing marks first, the newest first; all, or those of one machine."""
        named = request.query_params.get("device", "")[:18]
        if named and not named.isdecimal():
            raise InvalidInputError("bad_filter", "device is a machine's number.")
        page = self.paginate_queryset(selectors.lists(device_id=int(named) if named else None))
        rows = page or []
        body = ReReadListSerializer(
            rows, many=True, context={"progress": selectors.progress(rows)}
        ).data
        return self.get_paginated_response(body)


class FilmsView(generics.GenericAPIView[ReRead]):
    """The films of one list."""

    required = Can.REREAD_READ
    serializer_class = ReReadSerializer
    queryset = ReRead.objects.all()
    filter_backends = ()  # the selector sorts and filters

    @extend_schema(
        operation_id="re_read_lists_films",
        responses={200: ReReadSerializer(many=True), **_WRONG},
        parameters=[
            OpenApiParameter("show", enum=list(selectors.SHOW)),
            OpenApiParameter("why", enum=ReReadWhy.values),
            OpenApiParameter("when", enum=list(selectors.WHEN)),
            OpenApiParameter("assignee", OpenApiTypes.STR),
            OpenApiParameter("ordering", enum=list(selectors.ORDERINGS)),
            *PAGES,
        ],
    )
    def get(self, request: Request, pk: int) -> Response:
        """What is to do, the oldest exposure first, unless told."""
        found, who = rereads.list_of(pk), by(request)
        chosen = {name: request.query_params.get(name, "") for name in _FILTERS}
        rows = selectors.items(found, user=who["user"], **chosen)
        if not may(who["user"], Can.FINDING_REVIEW):
            rows = rows.select_related("image__series__study")
        page = self.paginate_queryset(rows) or []
        if may(who["user"], Can.FINDING_REVIEW):
            audit.record(
                verb="listed",
                actor=who["user"],
                obj=found,
                request=who["request"],
                detail={"films": [row.image_id for row in page]},
            )
        body = ReReadSerializer(page, many=True, context={"request": request}).data
        return self.get_paginated_response(body)


class AssignView(APIView):
    """Films of a list to a reader."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="re_read_lists_assign",
        request=ReReadAssignSerializer,
        responses={200: ReReadOutcomeSerializer, **_WRONG},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Give them to a reader, or take them back; done ones are left alone."""
        data = valid(ReReadAssignSerializer, request)
        named = data["assignee"]
        assignee = None
        if named is not None:
            assignee = User.objects.filter(username=named).first()
            if assignee is None:
                raise InvalidInputError("no_such_user", "There is nobody of this name.")
        outcome = rereads.assign(
            list_id=pk, item_ids=data["items"], assignee=assignee, **by(request)
        )
        return Response(ReReadOutcomeSerializer(outcome).data)


class DoneView(APIView):
    """Films of a list that are done alike."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="re_read_lists_done",
        request=ReReadDoneSerializer,
        responses={200: ReReadOutcomeSerializer, **_WRONG},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Unchanged, or done without re-reading with the reason; `changed` goes film by film."""
        data = valid(ReReadDoneSerializer, request)
        if data["result"] == "changed":  # its words become an addendum, which is one film's
            raise InvalidInputError("one_by_one", "Say of each film by itself what changed.")
        outcome = rereads.finish(
            list_id=pk, item_ids=data["items"], result=data["result"], note=data["note"],
            **by(request),
        )  # fmt: skip
        return Response(ReReadOutcomeSerializer(outcome).data)


def _item(request: Request, pk: int) -> Response:
    item = selectors.item(pk).first()
    if item is None:
        raise NotFoundError("no_such_re_read", "There is no such film on a list.")
    return Response(ReReadDetailSerializer(item, context={"request": request}).data)


class ItemView(APIView):
    """One film of a list."""

    required = Can.FINDING_REVIEW

    @extend_schema(operation_id="re_reads_read", responses={200: ReReadDetailSerializer, **_WRONG})
    def get(self, request: Request, pk: int) -> Response:
        """With its history."""
        answer = _item(request, pk)
        item = rereads.get(pk)
        audit.record(
            verb="viewed",
            actor=by(request)["user"],
            obj=item,
            patient_id=item.image.series.study.patient_id,
            request=by(request)["request"],
        )
        return answer


class RecordView(APIView):
    """What came of one film."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="re_reads_record",
        request=ReReadRecordSerializer,
        responses={200: ReReadDetailSerializer, **_WRONG},
    )
    def post(self, request: Request, pk: int) -> Response:
        """With `changed` the text becomes an addendum; 409 `re_read_done` with who was first."""
        re_reads.record(item_id=pk, **by(request), **valid(ReReadRecordSerializer, request))
        return _item(request, pk)


class ReopenView(APIView):
    """Taking back what was said."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="re_reads_reopen",
        request=ReReadReopenSerializer,
        responses={200: ReReadDetailSerializer, **_WRONG},
    )
    def post(self, request: Request, pk: int) -> Response:
        """The film is open again; an addendum that was written stays."""
        rereads.reopen(item_id=pk, **by(request), **valid(ReReadReopenSerializer, request))
        return _item(request, pk)
