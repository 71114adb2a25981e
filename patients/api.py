"""REST of `patients`; the timeline stands in `detection.api_patients`, for it shows films."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from accounts.services import audit
from twinhealth.errors import InvalidInputError

from . import selectors, serializers
from .models import Patient
from .models.observation import Source
from .services import observations


class PatientsView(GenericAPIView[Patient]):
    """All patients."""

    required: ClassVar = {"get": Can.PATIENT_READ}
    serializer_class = serializers.PatientSerializer
    queryset = Patient.objects.all()
    filter_backends = []

    @extend_schema(
        operation_id="patients_list",
        parameters=[
            OpenApiParameter("identifier", str, description="the whole number"),
            OpenApiParameter("q", str, description="beginning of the number, words of the name"),
            OpenApiParameter("synthetic", str, enum=["yes", "no"]),
            OpenApiParameter("ordering", str, enum=sorted(selectors.ORDERINGS)),
        ],
        responses=serializers.PatientSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Filtered and sorted."""
        chosen = {
            key: request.query_params.get(key, "").replace("\0", "")
            for key in ("q", "identifier", "synthetic", "ordering")
        }
        page = self.paginate_queryset(selectors.patients(**chosen)) or []
        audit.record(
            actor=_user(request),
            verb="listed",
            obj=Patient,
            request=request,
            detail={"patients": [patient.pk for patient in page]},
        )
        return self.get_paginated_response(self.get_serializer(page, many=True).data)


class PatientView(APIView):
    """One patient."""

    required: ClassVar = {"get": Can.PATIENT_READ}

    @extend_schema(responses=serializers.PatientSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """Who."""
        patient = selectors.patient(pk)
        audit.record(
            actor=_user(request), verb="viewed", obj=patient, patient_id=patient.pk, request=request
        )
        return Response(serializers.PatientSerializer(patient).data)


class ObservationsView(APIView):
    """Values of one patient."""

    required: ClassVar = {"post": Can.PATIENT_WRITE}

    @extend_schema(
        request=serializers.ObservationInSerializer(many=True),
        responses=serializers.RecordResultSerializer,
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take a batch; the answer says of each item that was not taken why."""
        patient = selectors.patient(pk)
        if not isinstance(request.data, list):
            raise InvalidInputError("not_a_list", "Send a list of values.")
        result = observations.record(
            patient=patient,
            items=[_item(item) for item in request.data],
            source=Source.REST,
            actor=_user(request),
            request=request,
        )
        return Response(serializers.RecordResultSerializer(result).data)


def _item(item: Any) -> observations.ObservationIn:
    """As sent; what isn't an object or lacks a key fails the checks of its own item only."""
    fields = item if isinstance(item, dict) else {}
    return observations.ObservationIn(
        code=fields.get("code"),
        value=fields.get("value"),
        unit=fields.get("unit"),
        effective_at=_time(fields.get("effective_at")),
    )


def _time(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None


def _user(request: Request) -> User:
    if not isinstance(request.user, User):
        raise TypeError("behind `required`, which lets nobody else in")
    return request.user
