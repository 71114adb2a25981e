"""REST: claims and verdicts."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from detection.api_by import by
from detection.serializers import (
    ClaimSerializer,
    ErrorSerializer,
    FindingReviewInSerializer,
    ImageReviewInSerializer,
    ReleasedSerializer,
    ReviewSerializer,
)
from detection.services import claims, reviews

_CONFLICT = {404: ErrorSerializer, 409: ErrorSerializer}


class FindingReviewsView(APIView):
    """Verdicts on a finding of the model."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="findings_reviews_create",
        request=FindingReviewInSerializer,
        responses={201: ReviewSerializer, 400: ErrorSerializer, **_CONFLICT},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Accept, reject or edit; 409 `signed` once the film is signed."""
        body = FindingReviewInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        review = reviews.record(
            finding_id=pk,
            **by(request),
            **body.validated_data,
        )
        return Response(ReviewSerializer(review).data, status=status.HTTP_201_CREATED)


class ImageReviewsView(APIView):
    """Boxes that the model didn't draw."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_reviews_create",
        request=ImageReviewInSerializer,
        responses={201: ReviewSerializer, 400: ErrorSerializer, **_CONFLICT},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Add a box; 409 `signed` once the film is signed."""
        body = ImageReviewInSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        review = reviews.record(
            image_id=pk,
            **by(request),
            **body.validated_data,
        )
        return Response(ReviewSerializer(review).data, status=status.HTTP_201_CREATED)


class ReviewView(APIView):
    """One verdict."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="reviews_withdraw",
        responses={204: None, 403: ErrorSerializer, **_CONFLICT},
    )
    def delete(self, request: Request, pk: int) -> Response:
        """Take one's own newest verdict back."""
        reviews.withdraw(
            review_id=pk,
            **by(request),
        )
        return Response(status=status.HTTP_204_NO_CONTENT)


class ClaimView(APIView):
    """A reader's lease on a film."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_claim", request=None, responses={200: ClaimSerializer, **_CONFLICT}
    )
    def post(self, request: Request, pk: int) -> Response:
        """Take the film for ten minutes, or renew; 409 `claimed` or `signed` with who and when."""
        claim = claims.claim(
            image_id=pk,
            **by(request),
        )
        return Response(ClaimSerializer(claim).data)


class ReleaseView(APIView):
    """Giving a film back."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="images_release",
        request=None,
        responses={200: ReleasedSerializer, **_CONFLICT},
    )
    def post(self, request: Request, pk: int) -> Response:
        """End one's own lease; without one nothing happens."""
        gone = claims.release(
            image_id=pk,
            **by(request),
        )
        return Response({"released": gone})
