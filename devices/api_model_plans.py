"""REST of plans of a make, and of days on which nothing becomes due."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Can
from twinhealth.errors import NotFoundError

from .api import actor
from .api_alerts import given_by
from .api_maintenance import Base
from .models import Blackout, DeviceModel, MaintenancePlan, ModelPlan, ModelPlanException
from .models.maintenance import Timing
from .selectors import model_plans as selectors
from .serializers_maintenance import DeviceField, StepField, StepsField
from .services import blackouts, model_plans


class ModelPlanExceptionSerializer(serializers.ModelSerializer[ModelPlanException]):
    """A machine that is left out (no rule) or has another interval."""

    by = serializers.CharField(source="by.username", default=None)

    class Meta:
        model = ModelPlanException
        fields = ["id", "device", "rrule", "reason", "by", "at"]
        read_only_fields = fields


class ModelPlanSerializer(serializers.ModelSerializer[ModelPlan]):
    """A plan of a make; `machines` have it and run."""

    timing = serializers.ChoiceField(Timing.choices, read_only=True)
    checklist = serializers.ListField(child=StepField(), read_only=True)
    skills = serializers.ListField(child=serializers.CharField(), read_only=True)
    machines = serializers.IntegerField(read_only=True)
    exceptions = ModelPlanExceptionSerializer(many=True, read_only=True)

    class Meta:
        model = ModelPlan
        fields = [
            "id", "device_model", "title", "timing", "rrule", "starts_on", "grace_days",
            "lead_days", "checklist", "verify_required", "skills", "longest_months", "active",
            "machines", "exceptions",
        ]  # fmt: skip
        read_only_fields = fields


class NewModelPlanSerializer(serializers.Serializer[Any]):
    """A plan for all machines of a make."""

    device_model = serializers.PrimaryKeyRelatedField(queryset=DeviceModel.objects.all())
    title = serializers.CharField(max_length=200)
    rrule = serializers.CharField(max_length=1000)
    timing = serializers.ChoiceField(
        Timing.choices, required=False, help_text="by use is refused: counters differ by machine"
    )
    starts_on = serializers.DateField()
    grace_days = serializers.IntegerField(required=False)
    lead_days = serializers.IntegerField(required=False)
    checklist = StepsField(required=False)
    verify_required = serializers.BooleanField(required=False)
    skills = serializers.ListField(child=serializers.CharField(max_length=64), required=False)
    longest_months = serializers.IntegerField(required=False, allow_null=True)


class ChangeModelPlanSerializer(NewModelPlanSerializer):
    """Changes for every machine; the make stays."""

    device_model = None  # type: ignore[assignment]


class NewModelPlanExceptionSerializer(serializers.Serializer[Any]):
    """Without a rule the machine is left out."""

    device = DeviceField()
    reason = serializers.CharField(max_length=300)
    rrule = serializers.CharField(max_length=1000, required=False, allow_blank=True)


class BlackoutSerializer(serializers.ModelSerializer[Blackout]):
    """Days, both included; of one plan, or (null) of the hospital."""

    plan = serializers.PrimaryKeyRelatedField(
        queryset=MaintenancePlan.objects.all(), required=False, allow_null=True
    )

    class Meta:
        model = Blackout
        fields = ["id", "plan", "starts_on", "ends_on", "yearly", "reason"]


class ModelPlanViewSet(Base):
    """Plans of a make."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "create": Can.MAINTENANCE_PLAN,
        "partial_update": Can.MAINTENANCE_PLAN,
        "exceptions": Can.MAINTENANCE_PLAN,
        "exception": Can.MAINTENANCE_PLAN,
    }
    queryset = selectors.listed()
    serializer_class = ModelPlanSerializer
    filterset_fields = ["device_model", "active"]
    ordering_fields = ["title", "starts_on"]

    @extend_schema(summary="One plan of a make", responses=ModelPlanSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """With its exceptions."""
        return self._shown(int(pk))

    @extend_schema(
        summary="Plan for all machines of a make",
        request=NewModelPlanSerializer,
        responses={201: ModelPlanSerializer},
    )
    def create(self, request: Request) -> Response:
        """Those that come later get it too."""
        given = given_by(NewModelPlanSerializer, request)
        made = model_plans.create(actor=actor(request), request=request, **given)
        return self._shown(made.pk, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change it for every machine",
        request=ChangeModelPlanSerializer(partial=True),
        responses=ModelPlanSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """Machines with another interval keep it."""
        given = given_by(ChangeModelPlanSerializer, request, partial=True)
        model_plans.update(
            model_plan=model_plans.get(int(pk)), actor=actor(request), request=request, **given
        )
        return self._shown(int(pk))

    @extend_schema(
        summary="Except a machine",
        request=NewModelPlanExceptionSerializer,
        responses=ModelPlanSerializer,
    )
    @action(detail=True, methods=["post"])
    def exceptions(self, request: Request, pk: str) -> Response:
        """400 `beyond_manufacturer` where the interval is longer than permitted."""
        given = given_by(NewModelPlanExceptionSerializer, request)
        model_plans.except_machine(
            model_plan=model_plans.get(int(pk)), actor=actor(request), request=request, **given
        )
        return self._shown(int(pk))

    @extend_schema(summary="End an exception", request=None, responses={204: None})
    @action(detail=True, methods=["delete"], url_path=r"exceptions/(?P<exception_id>\d{1,18})")
    def exception(self, request: Request, pk: str, exception_id: str) -> Response:
        """The machine has the make's own plan again."""
        found = (
            model_plans.get(int(pk))
            .exceptions.select_related("model_plan", "device")
            .filter(pk=int(exception_id))
            .first()
        )
        if found is None:
            raise NotFoundError("exception_not_found", "There is no such exception.")
        model_plans.end_exception(exception=found, actor=actor(request), request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        model_plans.get(pk)
        return Response(ModelPlanSerializer(selectors.listed().get(pk=pk)).data, status=code)


class BlackoutViewSet(Base):
    """Days on which nothing becomes due."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "create": Can.MAINTENANCE_PLAN,
        "destroy": Can.MAINTENANCE_PLAN,
    }
    queryset = selectors.blackouts()
    serializer_class = BlackoutSerializer
    filterset_fields = ["plan"]
    ordering_fields = ["starts_on"]

    @extend_schema(summary="Nothing becomes due on these days")
    def create(self, request: Request) -> Response:
        """Orders ahead that nobody touched move."""
        given = given_by(BlackoutSerializer, request)
        made = blackouts.create(actor=actor(request), request=request, **given)
        return Response(BlackoutSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Work may be due on these days again", responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """What had moved for them moves back."""
        blackouts.delete(blackout=blackouts.get(int(pk)), actor=actor(request), request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)
