"""REST of the parts that plans need."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.permissions import Can
from devices.api import actor
from devices.api_alerts import given_by
from devices.fields import LARGEST_ID
from devices.models import MaintenancePlan, ModelPlan

from . import selectors, selectors_needs
from .models import PlanPart
from .models.plan_part import MOST
from .services import needs


class PlanPartSerializer(serializers.ModelSerializer[PlanPart]):
    """One part of a plan; `model_plan` where the model's plan names it."""

    number = serializers.CharField(source="part.number")
    name = serializers.CharField(source="part.name")
    unit = serializers.CharField(source="part.unit")
    stock = serializers.IntegerField(source="part.stock")

    class Meta:
        model = PlanPart
        fields = ["part", "number", "name", "unit", "amount", "stock", "model_plan"]


class GivenPlanPartSerializer(serializers.Serializer[Any]):
    """So many of a part; 0: none any more."""

    part = serializers.IntegerField(min_value=1, max_value=LARGEST_ID)
    amount = serializers.IntegerField(min_value=0, max_value=MOST)


class PlanPartsView(APIView):
    """What each order of a plan needs."""

    required = {"get": Can.MAINTENANCE_READ, "post": Can.MAINTENANCE_PLAN}

    @extend_schema(
        summary="Parts that each order of a plan needs, its model's plan included",
        responses=PlanPartSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """By part number."""
        return self._shown(self._plan(pk))

    @extend_schema(
        summary="Say how many of a part each order of a plan needs",
        request=GivenPlanPartSerializer,
        responses=PlanPartSerializer(many=True),
    )
    def post(self, request: Request, pk: int) -> Response:
        """All of them afterwards."""
        return self._need(self._plan(pk), request)

    def _plan(self, pk: int) -> MaintenancePlan:
        return selectors.one(MaintenancePlan.objects.all(), pk, "plan_not_found")

    def _need(self, plan: MaintenancePlan | ModelPlan, request: Request) -> Response:
        given = given_by(GivenPlanPartSerializer, request)
        part = selectors.one(selectors.parts(), given["part"], "part_not_found")
        needs.need(
            plan=plan, part=part, amount=given["amount"], actor=actor(request), request=request
        )
        return self._shown(plan)

    def _shown(self, plan: MaintenancePlan | ModelPlan) -> Response:
        rows = (
            selectors_needs.of_plan(plan)
            if isinstance(plan, ModelPlan)
            else selectors_needs.for_plan(plan)
        )
        return Response(PlanPartSerializer(rows, many=True).data)


class ModelPlanPartsView(PlanPartsView):
    """What each order of all plans of a model's plan needs."""

    @extend_schema(
        summary="Parts that each order of a model's plan needs",
        responses=PlanPartSerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """By part number."""
        return self._shown(self._model_plan(pk))

    @extend_schema(
        summary="Say how many of a part each order of a model's plan needs",
        request=GivenPlanPartSerializer,
        responses=PlanPartSerializer(many=True),
    )
    def post(self, request: Request, pk: int) -> Response:
        """All of them afterwards."""
        return self._need(self._model_plan(pk), request)

    def _model_plan(self, pk: int) -> ModelPlan:
        return selectors.one(ModelPlan.objects.all(), pk, "plan_not_found")
