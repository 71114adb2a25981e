"""REST: the models, which one reads, and how one does beside another."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from detection import selectors_versions
from detection.api_by import by, valid
from detection.models import DetectorVersion, Promotion
from detection.serializers import ErrorSerializer
from detection.serializers_versions import (
    CompareWithSerializer,
    ComparisonSerializer,
    PromoteSerializer,
    PromotionReasonSerializer,
    PromotionSerializer,
    ScoredSerializer,
    ScoreSerializer,
    VersionSerializer,
)
from detection.services import comparison, readings, shadow, versions
from detection.services.which import active_version, version_by_id
from twinhealth.errors import ConflictError

_PROBLEMS = {404: ErrorSerializer, 409: ErrorSerializer}


class VersionsView(generics.ListAPIView[DetectorVersion]):
    """The models: active, candidates, retired, the one that reads along."""

    required = Can.VERSION_ADMIN
    serializer_class = VersionSerializer
    queryset = selectors_versions.versions()
    filterset_fields = ["state", "config"]
    ordering_fields = ["created_at", "name", "state"]


class VersionView(generics.RetrieveAPIView[DetectorVersion]):
    """One model."""

    required = Can.VERSION_ADMIN
    serializer_class = VersionSerializer
    queryset = selectors_versions.versions()


class CompareView(APIView):
    """One model beside another."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_compare",
        parameters=[CompareWithSerializer],
        responses={200: ComparisonSerializer, 400: ErrorSerializer, **_PROBLEMS},
    )
    def get(self, request: Request, pk: int) -> Response:
        """Val, which gates a promotion; test, which doesn't; the site's own signed films.

        Differences are this version minus the other, with the 95 % interval of a paired bootstrap
        over patients.
        """
        found = version_by_id(pk)
        asked = CompareWithSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        number = asked.validated_data["other"]
        other = active_version() if number is None else version_by_id(number)
        if other is None:
            raise ConflictError("no_active_version", "No version is active to compare with.")
        gate = comparison.gate(found, other)
        answer: dict[str, Any] = {
            "version": found,
            "other": other,
            "sets": selectors_versions.both_sets(found, other),
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
        data = valid(PromoteSerializer, request)
        return _version(versions.promote(version_id=pk, **data, **by(request)))


class RollBackView(APIView):
    """The version before the active one."""

    required = Can.VERSION_ADMIN

    @extend_schema(
        operation_id="detector_versions_rollback",
        request=PromotionReasonSerializer,
        responses={200: VersionSerializer, 400: ErrorSerializer, 409: ErrorSerializer},
    )
    def post(self, request: Request) -> Response:
        """Make it the active one again; 409 `nothing_to_roll_back` if there was none."""
        data = valid(PromotionReasonSerializer, request)
        return _version(versions.roll_back(**data, **by(request)))


class PromotionsView(generics.ListAPIView[Promotion]):
    """Which version read when, newest first."""

    required = Can.VERSION_ADMIN
    serializer_class = PromotionSerializer
    queryset = selectors_versions.promotions()
    filterset_fields = ["version", "rolled_back"]
    ordering_fields = ["at"]


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
        return _version(shadow.start_shadow(version_id=pk, **by(request)))

    @extend_schema(
        operation_id="detector_versions_shadow_stop",
        responses={200: VersionSerializer, **_PROBLEMS},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """No longer read along; what was read stays."""
        return _version(shadow.stop_shadow(version_id=pk, **by(request)))


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
        return _version(shadow.retire(version_id=pk, **by(request)))


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
        data = valid(ScoreSerializer, request)
        added = readings.score_signed_films(version_id=pk, **data, **by(request))
        waiting = selectors_versions.progress(version_by_id(pk)).waiting
        body = ScoredSerializer({"added": added, "waiting": waiting}).data
        return Response(body, status=status.HTTP_202_ACCEPTED)


def _version(version: DetectorVersion) -> Response:
    return Response(VersionSerializer(version).data)
