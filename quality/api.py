"""REST of protocols, sessions, instruments, and what a machine's tests say."""

from __future__ import annotations

from typing import Any

import django_filters
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from devices.api import actor
from devices.api_alerts import given_by
from devices.api_maintenance import Base, pk_filter
from devices.fields import LARGEST_ID
from devices.selectors import twin
from imaging.filters import MomentFilter

from . import serializers as shapes
from .models import Instrument, Protocol, QASession, SessionState, Verdict
from .selectors import found, overview
from .services import files, instruments, protocols, sessions, signing
from .views_sessions import certificate_of


class ProtocolFilters(django_filters.FilterSet):
    """Protocols by model, machine and whether they are in use."""

    device_model = pk_filter("device_model")
    device = pk_filter("device")
    retired = django_filters.BooleanFilter(
        field_name="retired_at", lookup_expr="isnull", exclude=True
    )

    class Meta:
        model = Protocol
        fields: list[str] = []


class ProtocolViewSet(Base):
    """QA protocols."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "create": Can.MAINTENANCE_PLAN,
        "update": Can.MAINTENANCE_PLAN,
        "retire": Can.MAINTENANCE_PLAN,
        "reinstate": Can.MAINTENANCE_PLAN,
        "plans": Can.MAINTENANCE_PLAN,
        "plan": Can.MAINTENANCE_PLAN,
    }
    queryset = found.protocols().prefetch_related("plans").order_by("name", "pk")
    serializer_class = shapes.QAProtocolSerializer
    filterset_class = ProtocolFilters
    ordering_fields = ["id", "name"]

    def _shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        return Response(shapes.QAProtocolSerializer(found.protocol(pk)).data, status=code)

    @extend_schema(summary="One protocol", responses=shapes.QAProtocolSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """With its present version."""
        return self._shown(int(pk))

    @extend_schema(
        summary="Make a protocol",
        request=shapes.NewQAProtocolSerializer,
        responses={201: shapes.QAProtocolSerializer},
    )
    def create(self, request: Request) -> Response:
        """Of a model or of one machine."""
        given = given_by(shapes.NewQAProtocolSerializer, request)
        made = protocols.create(actor=actor(request), request=request, **given)
        return self._shown(made.pk, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Make the next version",
        request=shapes.QAVersionSerializer,
        responses=shapes.QAProtocolSerializer,
    )
    def update(self, request: Request, pk: str) -> Response:
        """Sessions keep the version that they were taken with."""
        given = given_by(shapes.QAVersionSerializer, request)
        one = found.protocol(int(pk))
        protocols.revise(protocol=one, actor=actor(request), request=request, **given)
        return self._shown(one.pk)

    @extend_schema(summary="Retire", request=None, responses=shapes.QAProtocolSerializer)
    @action(detail=True, methods=["post"])
    def retire(self, request: Request, pk: str) -> Response:
        """No more sessions."""
        one = found.protocol(int(pk))
        protocols.retire(protocol=one, actor=actor(request), request=request)
        return self._shown(one.pk)

    @extend_schema(summary="Use it again", request=None, responses=shapes.QAProtocolSerializer)
    @action(detail=True, methods=["post"])
    def reinstate(self, request: Request, pk: str) -> Response:
        """Undo `retire`."""
        one = found.protocol(int(pk))
        protocols.reinstate(protocol=one, actor=actor(request), request=request)
        return self._shown(one.pk)

    @extend_schema(
        summary="Tie a plan: its orders ask for the protocol",
        request=shapes.QATieSerializer,
        responses={201: shapes.QAProtocolSerializer},
    )
    @action(detail=True, methods=["post"])
    def plans(self, request: Request, pk: str) -> Response:
        """A machine's plan or a model's."""
        given = given_by(shapes.QATieSerializer, request)
        one = found.protocol(int(pk))
        protocols.tie(protocol=one, actor=actor(request), request=request, **given)
        return self._shown(one.pk, status.HTTP_201_CREATED)

    @extend_schema(summary="Untie a plan", responses={204: None})
    @action(detail=True, methods=["delete"], url_path=r"plans/(?P<link>\d{1,18})")
    def plan(self, request: Request, pk: str, link: str) -> Response:
        """Its orders ask for no session any more."""
        tied = found.link(found.protocol(int(pk)), int(link))
        protocols.untie(link=tied, actor=actor(request), request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class SessionFilters(django_filters.FilterSet):
    """Sessions by machine, protocol, order, state, verdict and when was measured."""

    device = pk_filter("device")
    protocol = pk_filter("protocol")
    order = pk_filter("order")
    state = django_filters.ChoiceFilter(choices=SessionState.choices)
    verdict = django_filters.ChoiceFilter(choices=Verdict.choices)
    performed_from = MomentFilter(field_name="performed_at", lookup_expr="gte")
    performed_to = MomentFilter(field_name="performed_at", lookup_expr="lt")

    class Meta:
        model = QASession
        fields: list[str] = []


class SessionViewSet(Base):
    """QA sessions: drafts and what was signed."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "create": Can.ORDER_WORK,
        "partial_update": Can.ORDER_WORK,
        "destroy": Can.ORDER_WORK,
        "sign": Can.ORDER_WORK,
        "supersede": Can.ORDER_WORK,
        "renew": Can.ORDER_WORK,
        "files": Can.ORDER_WORK,
        "certificate": Can.MAINTENANCE_READ,
    }
    queryset = found.sessions()
    serializer_class = shapes.QASessionSerializer
    filterset_class = SessionFilters
    ordering_fields = ["id", "performed_at", "signed_at"]

    def _shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        return Response(shapes.QASessionSerializer(found.session(pk)).data, status=code)

    @extend_schema(summary="One session", responses=shapes.QASessionSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """A draft or what was signed."""
        return self._shown(int(pk))

    @extend_schema(
        summary="Begin a session",
        request=shapes.NewQASessionSerializer,
        responses={201: shapes.QASessionSerializer},
    )
    def create(self, request: Request) -> Response:
        """Of an order it is the one draft."""
        given = given_by(shapes.NewQASessionSerializer, request)
        made = sessions.begin(actor=actor(request), request=request, **given)
        return self._shown(made.pk, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Keep a draft",
        request=shapes.QADraftSerializer,
        responses=shapes.QASessionSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """409 `session_changed` beyond the revision `seen`."""
        given = given_by(shapes.QADraftSerializer, request)
        one = found.session(int(pk))
        sessions.save(session=one, actor=actor(request), request=request, **given)
        return self._shown(one.pk)

    @extend_schema(summary="Throw a draft away", responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """What was signed stays."""
        sessions.discard(session=found.session(int(pk)), actor=actor(request), request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Sign", request=shapes.QASignSerializer, responses=shapes.QASessionSerializer
    )
    @action(detail=True, methods=["post"])
    def sign(self, request: Request, pk: str) -> Response:
        """Judged and frozen, with everything that follows."""
        given = given_by(shapes.QASignSerializer, request)
        one = found.session(int(pk))
        signing.sign(session=one, actor=actor(request), request=request, **given)
        return self._shown(one.pk)

    @extend_schema(
        summary="Begin a correction",
        request=shapes.QASupersedeSerializer,
        responses={201: shapes.QASessionSerializer},
    )
    @action(detail=True, methods=["post"])
    def supersede(self, request: Request, pk: str) -> Response:
        """A draft that takes the session's place once it is signed."""
        given = given_by(shapes.QASupersedeSerializer, request)
        one = found.session(int(pk))
        made = sessions.correct(session=one, actor=actor(request), request=request, **given)
        return self._shown(made.pk, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Move a draft to the protocol's present version",
        request=None,
        responses=shapes.QASessionSerializer,
    )
    @action(detail=True, methods=["post"])
    def renew(self, request: Request, pk: str) -> Response:
        """Answers to tests that are gone go too."""
        one = found.session(int(pk))
        sessions.renew(session=one, actor=actor(request), request=request)
        return self._shown(one.pk)

    @extend_schema(
        summary="Attach a photo or document",
        request={"multipart/form-data": shapes.QAFileGivenSerializer},
        responses={201: shapes.QAFileSerializer},
    )
    @action(detail=True, methods=["post"], parser_classes=[MultiPartParser])
    def files(self, request: Request, pk: str) -> Response:
        """JPEG, PNG or PDF, while it is a draft."""
        upload = given_by(shapes.QAFileGivenSerializer, request)["file"]
        made = files.attach(
            session=found.session(int(pk)),
            actor=actor(request),
            source=upload,
            filename=upload.name or "",
            request=request,
        )
        return Response(shapes.QAFileSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="The certificate", responses={(200, "application/pdf"): OpenApiTypes.BINARY}
    )
    def certificate(self, request: Request, pk: str) -> HttpResponse:
        """PDF of a signed session: the same bytes each time."""
        return certificate_of(found.session(int(pk)))


class InstrumentViewSet(Base):
    """Instruments with which is measured."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "create": Can.ORDER_WORK,
        "partial_update": Can.ORDER_WORK,
    }
    queryset = Instrument.objects.filter(retired_at=None).order_by("name", "serial", "pk")
    serializer_class = shapes.QAInstrumentSerializer
    filter_backends: list[Any] = []

    @extend_schema(
        summary="Add an instrument",
        request=shapes.QAInstrumentSerializer,
        responses={201: shapes.QAInstrumentSerializer},
    )
    def create(self, request: Request) -> Response:
        """One per name and serial number."""
        given = given_by(shapes.QAInstrumentSerializer, request)
        made = instruments.create(actor=actor(request), request=request, **given)
        shown = shapes.QAInstrumentSerializer(made).data
        return Response(shown, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Calibrated again",
        request=shapes.QAInstrumentDateSerializer,
        responses=shapes.QAInstrumentSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Until when its calibration holds."""
        given = given_by(shapes.QAInstrumentDateSerializer, request)
        one = instruments.recalibrated(
            instrument=found.instrument(int(pk)), actor=actor(request), request=request, **given
        )
        return Response(shapes.QAInstrumentSerializer(one).data)


class MachineQAView(APIView):
    """The protocols of one machine."""

    required = {"get": Can.MAINTENANCE_READ}

    @extend_schema(
        operation_id="devices_qa_list",
        summary="Last verdict and next due day of each protocol",
        responses=shapes.QARowSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """The most urgent first; nothing of a retired machine."""
        device = twin.get(min(pk, LARGEST_ID))
        rows = [row.as_json() for row in overview.rows(device=device.pk)]
        return Response(shapes.QARowSerializer(rows, many=True).data)
