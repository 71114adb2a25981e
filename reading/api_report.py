"""REST: a film's report, its draft, its PDF, its signature."""

from __future__ import annotations

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from detection.api_by import by, valid
from detection.models import Conclusion
from detection.serializers import ErrorSerializer
from imaging.api import AnswerAnyway
from reading import report_answer
from reading.selectors_report import draft_of
from reading.serializers_report import (
    DraftInSerializer,
    ReportDraftSerializer,
    ReportSerializer,
    ReportSignInSerializer,
    SignedReportSerializer,
)
from reading.services import report_draft, report_sign

_WRONG = dict.fromkeys((400, 404, 409), ErrorSerializer)


class SignView(APIView):
    """The signature under a film, with its report."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_sign",
        request=ReportSignInSerializer,
        responses={201: SignedReportSerializer, 200: SignedReportSerializer, **_WRONG},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Sign; the same reader's repeat answers 200 with the same signature and report.

        Of a film that two readers read this gives one's reading. The second reader takes the film
        first (`claim/`), else 409 `take_first`. Where the two differ, `signature` stays null.
        """
        signed = report_sign.sign_film(
            image_id=pk, **by(request), **valid(ReportSignInSerializer, request)
        )
        code = status.HTTP_201_CREATED if signed.created else status.HTTP_200_OK
        return Response(SignedReportSerializer(signed).data, status=code)


class DraftView(APIView):
    """One's own unsigned report of a film."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_report_draft_read",
        parameters=[OpenApiParameter("conclusion", str, enum=Conclusion.values)],
        responses={200: ReportDraftSerializer, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> Response:
        """As kept, on the facts of now; `conclusion` stands before the kept one."""
        asked = request.query_params.get("conclusion")
        chosen = asked if asked in Conclusion.values else None
        found = report_answer.draft(pk, **by(request), conclusion=chosen)
        return Response(ReportDraftSerializer(found).data)

    @extend_schema(
        operation_id="images_report_draft_keep",
        request=DraftInSerializer,
        responses={200: ReportDraftSerializer, **_WRONG},
    )
    def put(self, request: Request, pk: int) -> Response:
        """Keep it; 409 `stale_draft` where another tab kept a newer one, `signed` once it is."""
        report_draft.keep(image_id=pk, **by(request), **valid(DraftInSerializer, request))
        found = draft_of(pk, by(request)["user"])
        return Response(ReportDraftSerializer(found).data)


class ReportView(APIView):
    """A film's report."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_report_read", responses={200: ReportSerializer, 404: ErrorSerializer}
    )
    def get(self, request: Request, pk: int) -> Response:
        """As signed with what was added since; before the signature one's own draft."""
        found = report_answer.read(pk, **by(request))
        return Response(ReportSerializer(found).data)


class ReportPdfView(APIView):
    """A film's report as PDF."""

    required = Can.FINDING_REVIEW
    content_negotiation_class = AnswerAnyway

    @extend_schema(
        operation_id="images_report_pdf",
        responses={(200, "application/pdf"): OpenApiTypes.BINARY, 404: ErrorSerializer},
    )
    def get(self, request: Request, pk: int) -> HttpResponse:
        """A4; a draft says across each page that it isn't signed."""
        return report_answer.pdf(pk, **by(request))
