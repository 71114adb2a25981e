"""REST of scenarios, suggestions and a machine's loss."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from devices.api import actor
from devices.api_alerts import given_by
from devices.selectors import twin
from twinhealth.errors import NotFoundError

from . import assumptions, changes
from .selectors import what_if as selectors
from .serializers import LossSerializer, SuggestionSerializer, WhatIfResultSerializer
from .services import scenarios, suggestions


class AssumedSerializer(serializers.Serializer[Any]):
    """Values in place of those that are not measured; what is left out stays as usual."""

    engineers = serializers.IntegerField(required=False)
    overtime = serializers.IntegerField(required=False, help_text="h")
    wear = serializers.FloatField(required=False)
    part_share = serializers.FloatField(required=False)
    part_hours = serializers.FloatField(required=False, help_text="h")
    rate = serializers.FloatField(
        required=False, help_text="failures a year of machines whose rate is not known"
    )
    runs = serializers.IntegerField(required=False)
    seed = serializers.IntegerField(required=False)


class ScenarioChangeSerializer(serializers.Serializer[Any]):
    """One change; which fields it has depends on its kind."""

    kind = serializers.ChoiceField(choices=[(name, name) for name in changes.FIELDS])
    order = serializers.IntegerField(required=False)
    machine = serializers.IntegerField(required=False)
    model = serializers.IntegerField(required=False)
    day = serializers.DateField(required=False)
    until = serializers.DateField(required=False)
    hours = serializers.FloatField(required=False)


class WhatIfSerializer(serializers.Serializer[Any]):
    """A scenario; kept where it has a name."""

    changes = ScenarioChangeSerializer(  # type: ignore[call-arg]  # the list takes it
        many=True, required=False, max_length=changes.MOST + 1
    )
    assumptions = AssumedSerializer(required=False)
    name = serializers.CharField(required=False, max_length=100)


class WhatIfView(APIView):
    """What would happen."""

    required = {"post": Can.MAINTENANCE_PLAN}

    @extend_schema(
        summary="Simulate a scenario beside the present; keep it where it has a name",
        request=WhatIfSerializer,
        responses={200: WhatIfResultSerializer, 201: WhatIfResultSerializer},
    )
    def post(self, request: Request) -> Response:
        """A change that isn't permitted is refused within the answer, and not simulated."""
        given = given_by(WhatIfSerializer, request)
        listed = changes.many(changes.from_json(each) for each in given.get("changes", ()))
        assumed = assumptions.parse(given.get("assumptions", {}))
        _, result = selectors.what_if(listed, assumed, now=timezone.now())
        kept = None
        if "name" in given:
            kept = scenarios.keep(
                actor=actor(request),
                name=given["name"],
                changes=listed,
                given=assumed,
                result=result,
                request=request,
            )
        answer = {"id": kept.pk if kept else None} | result
        return Response(WhatIfResultSerializer(answer).data, status=201 if kept else 200)


class SuggestionView(APIView):
    """The next 90 days proposed."""

    required = {"get": Can.MAINTENANCE_PLAN, "post": Can.MAINTENANCE_PLAN}

    @extend_schema(summary="The newest suggestion", responses=SuggestionSerializer)
    def get(self, request: Request) -> Response:
        """404 while none was worked out."""
        found = selectors.latest_suggestion()
        if found is None:
            raise NotFoundError("suggestion_not_found", "No suggestion was worked out yet.")
        return Response(SuggestionSerializer(found).data)

    @extend_schema(
        summary="Work a suggestion out",
        request=AssumedSerializer,
        responses={201: SuggestionSerializer},
    )
    def post(self, request: Request) -> Response:
        """Nothing of the schedule changes until moves are accepted."""
        given = assumptions.parse(given_by(AssumedSerializer, request))
        made = suggestions.make(
            actor=actor(request), given=given, now=timezone.now(), request=request
        )
        return Response(SuggestionSerializer(made).data, status=201)


class LossView(APIView):
    """A machine lost from now on."""

    required = {"get": Can.MAINTENANCE_READ}

    @extend_schema(
        summary="Who takes a machine's exams over, hour by hour",
        parameters=[OpenApiParameter("days", int, description="until it returns, 1 to 14; 3")],
        responses=LossSerializer,
    )
    def get(self, request: Request, pk: int) -> Response:
        """Expected exams; `known` is false where too few are on record."""
        days = selectors.days_asked(request.query_params.get("days", ""))
        found = selectors.machine_loss(twin.get(pk), days=days, now=timezone.now())
        return Response(LossSerializer(found).data)
