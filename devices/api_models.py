"""REST of makes and models."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from devices.models import DeviceModel, Metric
from devices.services import models as services


class ModelMetricSerializer(serializers.ModelSerializer[Metric]):
    """A metric of a model."""

    max_age_days = serializers.SerializerMethodField()

    class Meta:
        model = Metric
        fields = [
            "id", "key", "label", "unit", "plausible_low", "plausible_high", "max_age_days",
            "counter_of",
        ]  # fmt: skip

    def get_max_age_days(self, metric: Metric) -> float:
        """After so many days a value says nothing of now."""
        return metric.max_age / 86_400


class DeviceModelSerializer(serializers.ModelSerializer[DeviceModel]):
    """A make and model with its metrics and machines."""

    metrics = ModelMetricSerializer(many=True)
    devices = serializers.PrimaryKeyRelatedField[Any](many=True, read_only=True)

    class Meta:
        model = DeviceModel
        fields = [
            "id", "manufacturer", "name", "modality", "is_synthetic", "maintenance_months",
            "maintenance_source", "metrics", "devices",
        ]  # fmt: skip


class ModelPlanSerializer(serializers.Serializer[Any]):
    """The manufacturer's maintenance plan."""

    months = serializers.IntegerField(allow_null=True)
    source = serializers.CharField(max_length=300, allow_blank=True)  # type: ignore[assignment]


class MetricChangeSerializer(serializers.Serializer[Any]):
    """A metric to be changed; what isn't named stays."""

    label = serializers.CharField(max_length=128, required=False)  # type: ignore[assignment]
    unit = serializers.CharField(max_length=32, required=False)
    plausible_low = serializers.FloatField(required=False, allow_null=True)
    plausible_high = serializers.FloatField(required=False, allow_null=True)
    max_age_days = serializers.FloatField(required=False)
    counter_of = serializers.CharField(max_length=16, required=False, allow_blank=True)


class NewMetricSerializer(MetricChangeSerializer):
    """A metric to be added."""

    key = serializers.CharField(max_length=64)


def _who(request: Request) -> dict[str, Any]:
    return {"actor": cast("User", request.user), "request": request}


def _given(shape: Any) -> dict[str, Any]:
    shape.is_valid(raise_exception=True)
    return dict(shape.validated_data)


class DeviceModelsView(APIView):
    """All makes and models."""

    required = {"get": Can.DEVICE_READ}

    @extend_schema(
        summary="Makes and models",
        operation_id="device_models_list",
        responses=DeviceModelSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """By manufacturer and name, each with its metrics."""
        listed = DeviceModel.objects.prefetch_related("metrics", "devices")
        rows = listed.order_by("manufacturer", "name")
        return Response(DeviceModelSerializer(rows, many=True).data)


class DeviceModelView(APIView):
    """One make and model."""

    required = {"get": Can.DEVICE_READ, "patch": Can.DEVICE_WRITE}

    @extend_schema(summary="One make and model", responses=DeviceModelSerializer)
    def get(self, request: Request, pk: int) -> Response:
        """With its metrics and machines."""
        return Response(DeviceModelSerializer(services.get(pk)).data)

    @extend_schema(
        summary="The manufacturer's maintenance plan",
        request=ModelPlanSerializer,
        responses=DeviceModelSerializer,
    )
    def patch(self, request: Request, pk: int) -> Response:
        """Interval in months, and the document that says so."""
        given = _given(ModelPlanSerializer(data=request.data))
        model = services.set_plan(model=services.get(pk), **given, **_who(request))
        return Response(DeviceModelSerializer(model).data)


class ModelMetricsView(APIView):
    """Metrics of a model."""

    required = {"post": Can.DEVICE_WRITE}

    @extend_schema(
        summary="Add a metric",
        request=NewMetricSerializer,
        responses={201: ModelMetricSerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """Its unit is a UCUM code; 409 `metric_exists`."""
        given = _given(NewMetricSerializer(data=request.data))
        made = services.save_metric(model=services.get(pk), changes=given, **_who(request))
        return Response(ModelMetricSerializer(made).data, status=status.HTTP_201_CREATED)


class ModelMetricView(APIView):
    """One metric of a model."""

    required = {"patch": Can.DEVICE_WRITE}

    @extend_schema(
        summary="Change a metric", request=MetricChangeSerializer, responses=ModelMetricSerializer
    )
    def patch(self, request: Request, pk: int, metric_id: int) -> Response:
        """409 `unit_in_use` once there are readings in the unit."""
        model = services.get(pk)
        metric = services.get_metric(model=model, metric_id=metric_id)
        given = _given(MetricChangeSerializer(data=request.data))
        saved = services.save_metric(model=model, metric=metric, changes=given, **_who(request))
        return Response(ModelMetricSerializer(saved).data)
