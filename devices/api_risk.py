"""REST of failure risk."""

from __future__ import annotations

from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from devices import moments
from devices.selectors import risk as selectors
from devices.selectors import twin as twin_selectors

from .serializers_risk import RiskWithRowsSerializer


class DeviceRiskView(APIView):
    """How likely a machine fails, and why that is said."""

    required = {"get": Can.DEVICE_READ}

    @extend_schema(
        summary="Risk of failure within 30 days, with the rows it rests on",
        parameters=[OpenApiParameter("at", OpenApiTypes.DATETIME, description="as of then")],
        responses=RiskWithRowsSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """Now or as of a past moment."""
        now = timezone.now()
        at = moments.past(request.query_params.get("at", ""), now=now) or now
        found = selectors.risk_of(twin_selectors.get(pk), at=at)
        return Response(RiskWithRowsSerializer(found).data)
