"""REST: how far detector and readers agree."""

from __future__ import annotations

from dataclasses import fields
from typing import cast

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can

from .forms import AgreementForm
from .selectors_agreement import BY, AgreementTable, agreement_table
from .selectors_second_looks import second_look_table


class AgreementFigureSerializer(serializers.Serializer[object]):
    """A figure, its 95 % interval, and the films that it rests on."""

    value = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()
    films = serializers.IntegerField()


class AgreementCellsSerializer(serializers.Serializer[object]):
    """Films by flag and signature."""

    hits = serializers.IntegerField(help_text="flagged, signed abnormal")
    alarms = serializers.IntegerField(help_text="flagged, signed normal")
    misses = serializers.IntegerField(help_text="not flagged, signed abnormal")
    passes = serializers.IntegerField(help_text="not flagged, signed normal")


class AgreementRowSerializer(serializers.Serializer[object]):
    """One week (its Monday), version, machine or reader; `-` where it isn't known."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    cells = AgreementCellsSerializer()
    kappa = AgreementFigureSerializer(allow_null=True)
    ppv = AgreementFigureSerializer(allow_null=True)
    miss_rate = AgreementFigureSerializer(allow_null=True)


class SecondLookCountsSerializer(serializers.Serializer[object]):
    """Second looks at one reader's films, or at all; a sample is drawn of what both call normal."""

    key = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    looked = serializers.IntegerField()
    disagreed = serializers.IntegerField()
    figure = AgreementFigureSerializer(allow_null=True)
    drawn = serializers.IntegerField(help_text="of those looked at, the random sample")
    drawn_disagreed = serializers.IntegerField()
    drawn_figure = AgreementFigureSerializer(allow_null=True)


class SecondLookTableSerializer(serializers.Serializer[object]):
    """Readers who had signed, and their sum."""

    rows = SecondLookCountsSerializer(many=True)
    total = SecondLookCountsSerializer()


class AgreementSerializer(serializers.Serializer[object]):
    """All rows and their sum."""

    rows = AgreementRowSerializer(many=True)
    total = AgreementRowSerializer()
    everyone = serializers.BooleanField(help_text="all readers' films, not only one's own")
    unreadable = serializers.IntegerField()
    unread = serializers.IntegerField()
    second_looks = SecondLookTableSerializer()


class AgreementView(APIView):
    """Kappa, predictive value and miss rate of the detector against signatures."""

    required = Can.FINDING_REVIEW

    @extend_schema(
        operation_id="agreement_read",
        responses=AgreementSerializer,
        parameters=[
            OpenApiParameter("by", enum=list(BY)),
            OpenApiParameter("since", OpenApiTypes.DATE),
            OpenApiParameter("until", OpenApiTypes.DATE),
        ],
    )
    def get(self, request: Request) -> Response:
        """Films that one signed oneself; the lead sees those of every reader."""
        by, span = AgreementForm(request.query_params).chosen()
        user = cast("User", request.user)
        table = agreement_table(user=user, by=by, span=span)
        looks = second_look_table(user=user, span=span)
        return Response(AgreementSerializer({**_fields(table), "second_looks": looks}).data)


def _fields(table: AgreementTable) -> dict[str, object]:
    return {field.name: getattr(table, field.name) for field in fields(table)}
