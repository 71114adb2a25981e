"""REST: skip, help, urgency, second look."""

from __future__ import annotations

from django.db.models import Model
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from accounts.services import audit
from detection.api_by import by, valid
from detection.models import Signature
from detection.serializers import ErrorSerializer
from reading.api_lists import PAGES, chosen
from reading.models import HelpRequest
from reading.models.line import HelpState
from reading.selectors import help_calls, open_help
from reading.selectors_second_looks import STATES, second_look_films
from reading.serializers import (
    AnswerInSerializer,
    HelpSerializer,
    ReasonInSerializer,
    SecondLookFilmSerializer,
    SecondLookInSerializer,
    SecondLookSerializer,
    SkipSerializer,
    UrgencyInSerializer,
    UrgencySerializer,
)
from reading.services import line, second_look

_CONFLICT = {404: ErrorSerializer, 409: ErrorSerializer}


class SkipView(APIView):
    """Giving a film back to the line for a while."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_skip",
        request=ReasonInSerializer,
        responses={201: SkipSerializer, 400: ErrorSerializer, **_CONFLICT},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Not offered to this reader until `until`; ends one's own claim."""
        made = line.skip(image_id=pk, **by(request), **valid(ReasonInSerializer, request))
        return Response(SkipSerializer(made).data, status=status.HTTP_201_CREATED)


class HelpView(APIView):
    """Asking the other readers."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_help",
        request=ReasonInSerializer,
        responses={201: HelpSerializer, 400: ErrorSerializer, **_CONFLICT},
    )
    def post(self, request: Request, pk: int) -> Response:
        """One open call per film; ends one's own claim."""
        made = line.ask_help(image_id=pk, **by(request), **valid(ReasonInSerializer, request))
        return Response(HelpSerializer(made).data, status=status.HTTP_201_CREATED)


class HelpListView(generics.GenericAPIView[HelpRequest]):
    """Calls for help."""

    required = Can.FINDING_REVIEW
    serializer_class = HelpSerializer
    queryset = HelpRequest.objects.all()
    filter_backends = ()

    @extend_schema(
        operation_id="help_list",
        responses={200: HelpSerializer(many=True), 400: ErrorSerializer},
        parameters=[OpenApiParameter("state", enum=HelpState.values), *PAGES],
    )
    def get(self, request: Request) -> Response:
        """Without `state`, open ones of films that aren't signed, the oldest first."""
        state = chosen(request, "state", HelpState.values)
        page = self.paginate_queryset(help_calls(state) if state else open_help()) or []
        _listed(request, HelpRequest, [call.image_id for call in page])
        return self.get_paginated_response(HelpSerializer(page, many=True).data)


class SecondLooksView(generics.GenericAPIView[Signature]):
    """Signed films that a second reader sees."""

    required = Can.FINDING_REVIEW
    serializer_class = SecondLookFilmSerializer
    queryset = Signature.objects.all()
    filter_backends = ()

    @extend_schema(
        operation_id="second_looks_list",
        responses={200: SecondLookFilmSerializer(many=True), 400: ErrorSerializer},
        parameters=[OpenApiParameter("state", enum=list(STATES)), *PAGES],
    )
    def get(self, request: Request) -> Response:
        """`waiting` (without `state` too) the oldest first; `looked` the newest look first."""
        state = chosen(request, "state", list(STATES)) or "waiting"
        page = self.paginate_queryset(second_look_films(state)) or []
        _listed(request, Signature, [signature.image_id for signature in page])
        return self.get_paginated_response(SecondLookFilmSerializer(page, many=True).data)


class HelpAnswerView(APIView):
    """An answer to a call for help."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="help_answer",
        request=AnswerInSerializer,
        responses={201: HelpSerializer, 400: ErrorSerializer, 403: ErrorSerializer, **_CONFLICT},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Ends the call; not by who asked."""
        made = line.answer_help(help_id=pk, **by(request), **valid(AnswerInSerializer, request))
        return Response(HelpSerializer(made).data, status=status.HTTP_201_CREATED)


class HelpWithdrawView(APIView):
    """Taking a call for help back."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="help_withdraw",
        request=None,
        responses={201: HelpSerializer, 403: ErrorSerializer, **_CONFLICT},
    )
    def post(self, request: Request, pk: int) -> Response:
        """By who asked."""
        made = line.withdraw_help(help_id=pk, **by(request))
        return Response(HelpSerializer(made).data, status=status.HTTP_201_CREATED)


class UrgencyView(APIView):
    """How soon a film is wanted."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_urgency",
        request=UrgencyInSerializer,
        responses={201: UrgencySerializer, 400: ErrorSerializer, **_CONFLICT},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Stands above the header from now on."""
        made = line.set_urgency(image_id=pk, **by(request), **valid(UrgencyInSerializer, request))
        return Response(UrgencySerializer(made).data, status=status.HTTP_201_CREATED)


class SecondLookView(APIView):
    """A second reader's word on a signature."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_second_look",
        request=SecondLookInSerializer,
        responses={
            201: SecondLookSerializer,
            400: ErrorSerializer,
            403: ErrorSerializer,
            **_CONFLICT,
        },
    )
    def post(self, request: Request, pk: int) -> Response:
        """Once per signature, of films in the queue, by another reader."""
        made = second_look.look_again(
            image_id=pk, **by(request), **valid(SecondLookInSerializer, request)
        )
        return Response(SecondLookSerializer(made).data, status=status.HTTP_201_CREATED)


def _listed(request: Request, model: type[Model], images: list[int]) -> None:
    audit.record(
        actor=by(request)["user"],
        verb="listed",
        obj=model,
        request=by(request)["request"],
        detail={"images": images},
    )
