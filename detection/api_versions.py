"""REST: the models, which one reads, and weights that are sent."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from detection import selectors_versions
from detection.api_by import by
from detection.models import DetectorVersion
from detection.serializers import ErrorSerializer
from detection.serializers_versions import (
    ComparisonSerializer,
    PromoteSerializer,
    ScoredSerializer,
    ScoreSerializer,
    UploadSerializer,
    VersionReasonSerializer,
    VersionSerializer,
    WeightsUploadSerializer,
)
from detection.services import promotion, readings, uploads, versions
from detection.services.which import active_version, version_by_id
from imaging.services.doors import check_request_size
from twinhealth.errors import ConflictError

_PROBLEMS = {404: ErrorSerializer, 409: ErrorSerializer}


class VersionsView(generics.ListAPIView[DetectorVersion]):
    """The models: active, candidates, retired, the one that reads along."""

    required = Can.VERSION_ADMIN
    serializer_class = VersionSerializer
    queryset = selectors_versions.versions()
    filterset_fields = ["state", "config"]
    ordering_fields = ["created_at", "name", "state"]
    parser_classes = (MultiPartParser,)

    @extend_schema(
        operation_id="detector_versions_create",
        request={"multipart/form-data": UploadSerializer},
        responses={
            202: WeightsUploadSerializer,
            400: ErrorSerializer,
            409: ErrorSerializer,
            413: ErrorSerializer,
            503: ErrorSerializer,
        },
    )
    def post(self, request: Request) -> Response:
        """Store weights with their manifest; a worker checks them before they are a version.

        `GET detector-versions/uploads/{id}/` says what became of them.
        """
        who = by(request)
        check_request_size(request.META.get("CONTENT_LENGTH"), limit=uploads.most_bytes())
        made = uploads.receive_form(request.FILES, **who)
        return Response(WeightsUploadSerializer(made).data, status=status.HTTP_202_ACCEPTED)


class VersionView(generics.RetrieveAPIView[DetectorVersion]):
    """One model."""

    required = Can.VERSION_ADMIN
    serializer_class = VersionSerializer
    queryset = selectors_versions.versions()


class UploadView(APIView):
    """Weights that were sent."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_upload_retrieve",
        responses={200: WeightsUploadSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        """`checking`, `accepted` with the version's number, or `refused` with the reason."""
        upload = get_object_or_404(selectors_versions.uploads(), pk=pk)
        return Response(WeightsUploadSerializer(upload).data)


class CompareView(APIView):
    """One model beside another."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_compare",
        parameters=[OpenApiParameter("with", int, description="the active one unless given")],
        responses={200: ComparisonSerializer, **_PROBLEMS},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Val, which gates a promotion; test, which doesn't; the site's own signed films.

        Differences are this version minus the other, with the 95 % interval of a paired bootstrap
        over patients.
        """
        found = version_by_id(pk)
        asked = request.query_params.get("with", "")
        other = version_by_id(int(asked)) if asked.isdecimal() and len(asked) < 18 else None
        other = other or active_version()
        if other is None:
            raise ConflictError("no_active_version", "No version is active to compare with.")
        sets = {one.name: one for one in selectors_versions.both_sets(found, other)}
        gate = promotion.gate(found, other)
        answer: dict[str, Any] = {
            "version": found,
            "other": other,
            "sets": list(sets.values()),
            "signed": selectors_versions.signed(found, other),
            "reason_needed": gate.why,
            "worse": gate.worse,
        }
        return Response(ComparisonSerializer(answer).data)


class PromoteView(APIView):
    """Which model reads."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_promote",
        request=PromoteSerializer,
        responses={200: VersionSerializer, 400: ErrorSerializer, **_PROBLEMS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Make it the active one.

        409 `reason_needed` where it is worse on val or that isn't known: send a reason then. 409
        also if its weights file is missing or not what it was, or another was promoted meanwhile.
        """
        data = _valid(PromoteSerializer, request)
        return _version(promotion.promote(version_id=pk, **data, **by(request)))


class RollBackView(APIView):
    """The way back."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_rollback",
        request=VersionReasonSerializer,
        responses={200: VersionSerializer, 400: ErrorSerializer, **_PROBLEMS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """From this version, which must be active, to the one before; the answer is that one."""
        data = _valid(VersionReasonSerializer, request)
        return _version(promotion.roll_back(version_id=pk, **data, **by(request)))


class ShadowView(APIView):
    """Reading along."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_shadow_start",
        request=None,
        responses={200: VersionSerializer, **_PROBLEMS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Read each new film too, apart from what clinicians see."""
        return _version(versions.start_shadow(version_id=pk, **by(request)))

    @extend_schema(
        operation_id="detector_versions_shadow_stop",
        responses={200: VersionSerializer, **_PROBLEMS},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """No longer read along; what was read stays."""
        return _version(versions.stop_shadow(version_id=pk, **by(request)))


class RetireView(APIView):
    """Putting a model away."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_retire",
        request=None,
        responses={200: VersionSerializer, **_PROBLEMS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """A candidate or one that reads along; the active one can only be replaced."""
        return _version(versions.retire(version_id=pk, **by(request)))


class ScoreView(APIView):
    """Reading signed films, to compare with what was signed."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_score",
        request=ScoreSerializer,
        responses={202: ScoredSerializer, 400: ErrorSerializer, **_PROBLEMS},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Have it read the newest signed films when no clinician's film waits."""
        data = _valid(ScoreSerializer, request)
        added = readings.score_signed_films(version_id=pk, **data, **by(request))
        waiting = selectors_versions.progress(version_by_id(pk)).waiting
        body = ScoredSerializer({"added": added, "waiting": waiting}).data
        return Response(body, status=status.HTTP_202_ACCEPTED)


def _valid(kind: type[Any], request: Request) -> dict[str, Any]:
    serializer = kind(data=request.data)
    serializer.is_valid(raise_exception=True)
    return dict(serializer.validated_data)


def _version(version: DetectorVersion) -> Response:
    return Response(VersionSerializer(version).data)
