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
from .selectors_blinded_agreement import blind_table
from .selectors_pairs import reader_pairs
from .selectors_rejects import rejects_by_version
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


class RejectsSerializer(serializers.Serializer[object]):
    """Rejected findings of one version; `counts`: code (empty: from before codes) to number."""

    version = serializers.CharField()
    counts = serializers.DictField(child=serializers.IntegerField())
    total = serializers.IntegerField()


class BlindChangeSerializer(serializers.Serializer[object]):
    """Films concluded otherwise after the model was shown."""

    first = serializers.CharField()
    signed = serializers.CharField()
    model = serializers.CharField(help_text="flagged, not flagged, or not read")
    films = serializers.IntegerField()


class BlindAgainstSerializer(serializers.Serializer[object]):
    """The model against one word of the readers."""

    word = serializers.CharField()
    cells = AgreementCellsSerializer()
    detected = AgreementFigureSerializer(allow_null=True)
    passed = AgreementFigureSerializer(allow_null=True)
    kappa = AgreementFigureSerializer(allow_null=True)


class BlindSerializer(serializers.Serializer[object]):
    """Films with a first impression from before the model was shown to their signer."""

    films = serializers.IntegerField()
    changed = AgreementFigureSerializer(allow_null=True)
    toward = AgreementFigureSerializer(allow_null=True, help_text="to what the model says")
    away = AgreementFigureSerializer(allow_null=True, help_text="from what the model says")
    changes = BlindChangeSerializer(many=True)
    against = BlindAgainstSerializer(many=True, help_text="the first word, then the signature")


class ReaderPairSerializer(serializers.Serializer[object]):
    """Two readers who read the same films apart; the sum has no names."""

    one_name = serializers.CharField()
    other_name = serializers.CharField()
    both = serializers.IntegerField(source="cells.both", help_text="abnormal for both")
    one = serializers.IntegerField(source="cells.one", help_text="abnormal for the one alone")
    other = serializers.IntegerField(source="cells.other", help_text="for the other alone")
    neither = serializers.IntegerField(source="cells.neither", help_text="normal for both")
    kappa = AgreementFigureSerializer(source="cells.kappa", allow_null=True)


class ReaderPairsSerializer(serializers.Serializer[object]):
    """Films that two readers read, by their two readings."""

    rows = ReaderPairSerializer(many=True)
    total = ReaderPairSerializer()
    unreadable = serializers.IntegerField(help_text="not readable for one of them; don't count")


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
    blind = BlindSerializer()
    rejects = RejectsSerializer(many=True, help_text="verdicts of these days that still count")
    readers = ReaderPairsSerializer(help_text="of films that two readers read")
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
        body = {
            **_fields(table),
            "blind": blind_table(user=user, span=span),
            "readers": reader_pairs(user=user, span=span),
            "rejects": rejects_by_version(user=user, span=span),
            "second_looks": second_look_table(user=user, span=span),
        }
        return Response(AgreementSerializer(body).data)


def _fields(table: AgreementTable) -> dict[str, object]:
    return {field.name: getattr(table, field.name) for field in fields(table)}
