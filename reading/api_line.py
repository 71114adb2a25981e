"""REST: skip, help, urgency, second look."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from detection.api_by import by, valid
from detection.serializers import ErrorSerializer
from reading.serializers import (
    AnswerInSerializer,
    HelpSerializer,
    ReasonInSerializer,
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
