"""REST: first impressions of blinded readers, and reading groups."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from accounts.services import audit
from detection import selectors
from detection.api_by import by, valid
from detection.blinding import seen
from detection.serializers import ErrorSerializer, SignInSerializer
from reading import selectors_blinded
from reading.models import ReadingGroup
from reading.serializers_blinded import (
    FirstImpressionSerializer,
    ReadingGroupInSerializer,
    ReadingGroupSerializer,
)
from reading.services import first_impressions, groups

_WRONG = dict.fromkeys((400, 404, 409), ErrorSerializer)


class FirstImpressionsView(APIView):
    """What blinded readers thought of a film before the model was shown."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_first_impressions_list",
        responses={200: FirstImpressionSerializer(many=True), 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        """One's own; those of all once the film is signed."""
        who = by(request)
        film = selectors.film(image_id=pk, user=who["user"])
        found = selectors_blinded.impressions_of(
            pk, user=who["user"], signed=film.signature is not None
        )
        audit.record(
            actor=who["user"],
            verb="listed",
            obj=film.image,
            patient_id=film.patient.pk,
            request=who["request"],
            detail={"first_impressions": [row.pk for row in found]} | seen(hidden=film.hidden),
        )
        return Response(FirstImpressionSerializer(found, many=True).data)

    @extend_schema(
        operation_id="images_first_impressions_create",
        request=SignInSerializer,
        responses={201: FirstImpressionSerializer, 200: FirstImpressionSerializer, **_WRONG},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Commit one's own; the model is shown from then on. The same words again answer 200."""
        done = first_impressions.commit(
            image_id=pk, **by(request), **valid(SignInSerializer, request)
        )
        code = status.HTTP_201_CREATED if done.created else status.HTTP_200_OK
        return Response(FirstImpressionSerializer(done.impression).data, status=code)


class ReadingGroupsView(generics.ListAPIView[ReadingGroup]):
    """Groups of readers, by name."""

    required = Can.USER_ADMIN
    serializer_class = ReadingGroupSerializer
    queryset = selectors_blinded.groups()
    filter_backends = ()  # the selector sorts

    @extend_schema(
        operation_id="reading_groups_create",
        request=ReadingGroupInSerializer,
        responses={201: ReadingGroupSerializer, **_WRONG},
    )
    def post(self, request: Request) -> Response:
        """Make one; a reader is in one group at most."""
        made = groups.save(**by(request), **valid(ReadingGroupInSerializer, request))
        return Response(ReadingGroupSerializer(made).data, status=status.HTTP_201_CREATED)


class ReadingGroupView(APIView):
    """One group of readers."""

    required = Can.USER_ADMIN

    @extend_schema(
        operation_id="reading_groups_update",
        request=ReadingGroupInSerializer,
        responses={200: ReadingGroupSerializer, **_WRONG},
    )
    def put(self, request: Request, pk: int) -> Response:
        """Name, readers and way to read, as they shall be from now on."""
        changed = groups.save(
            group_id=pk, **by(request), **valid(ReadingGroupInSerializer, request)
        )
        return Response(ReadingGroupSerializer(changed).data)
