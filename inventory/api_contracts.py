"""REST of contracts and warranties."""

from __future__ import annotations

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Can
from devices.api import actor
from devices.api_alerts import given_by
from devices.api_maintenance import Base, pk_filter
from devices.fields import LARGEST_ID
from devices.models import Device

from . import selectors
from . import serializers as shapes
from .models import Contract, Warranty
from .sections import covering
from .services import contracts


class ContractFilters(django_filters.FilterSet):
    """Contracts by vendor, machine and end."""

    vendor = pk_filter("vendor")
    device = django_filters.NumberFilter(
        method="filter_device", min_value=0, max_value=LARGEST_ID, decimal_places=0
    )
    ends_from = django_filters.DateFilter(field_name="ends_on", lookup_expr="gte")
    ends_to = django_filters.DateFilter(field_name="ends_on", lookup_expr="lte")

    class Meta:
        model = Contract
        fields: list[str] = []

    def filter_device(self, found: QuerySet[Contract], name: str, value: int) -> QuerySet[Contract]:
        """On the machine, or on its model."""
        device = Device.objects.filter(pk=value).first()
        return found.filter(covering(device)).distinct() if device else found.none()


class ContractViewSet(Base):
    """Service contracts."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "create": Can.MAINTENANCE_PLAN,
        "partial_update": Can.MAINTENANCE_PLAN,
    }
    queryset = selectors.contracts()
    serializer_class = shapes.ContractSerializer
    filterset_class = ContractFilters
    ordering_fields = ["number", "starts_on", "ends_on"]

    @extend_schema(summary="One contract", responses=shapes.ContractSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """What it covers, until when."""
        return self._shown(int(pk))

    @extend_schema(
        summary="Add a contract",
        request=shapes.GivenContractSerializer,
        responses={201: shapes.ContractSerializer},
    )
    def create(self, request: Request) -> Response:
        """It covers machines, or all machines of models."""
        given = given_by(shapes.GivenContractSerializer, request)
        made = contracts.save(actor=actor(request), request=request, **given)
        return self._shown(made.pk, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a contract",
        request=shapes.GivenContractSerializer(partial=True),
        responses=shapes.ContractSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """What isn't named stays."""
        found = selectors.one(Contract.objects.all(), int(pk), "contract_not_found")
        given = given_by(shapes.GivenContractSerializer, request, partial=True)
        contracts.save(actor=actor(request), contract=found, request=request, **given)
        return self._shown(found.pk)

    def _shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        found = selectors.one(selectors.contracts(), pk, "contract_not_found")
        return Response(shapes.ContractSerializer(found).data, status=code)


class WarrantyViewSet(Base):
    """Warranties that stand."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "create": Can.MAINTENANCE_PLAN,
        "withdraw": Can.MAINTENANCE_PLAN,
    }
    queryset = selectors.warranties()
    serializer_class = shapes.WarrantySerializer
    ordering_fields = ["until"]

    @extend_schema(summary="Add a warranty", responses={201: shapes.WarrantySerializer})
    def create(self, request: Request) -> Response:
        """Of a machine, or of one of its parts."""
        given = given_by(shapes.WarrantySerializer, request)
        made = contracts.add_warranty(actor=actor(request), request=request, **given)
        return Response(shapes.WarrantySerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Withdraw a mistaken entry",
        request=shapes.InventoryReasonSerializer,
        responses={204: None},
    )
    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, pk: str) -> Response:
        """The row stays."""
        found = selectors.one(Warranty.objects.all(), int(pk), "warranty_not_found")
        given = given_by(shapes.InventoryReasonSerializer, request)
        contracts.withdraw_warranty(warranty=found, actor=actor(request), request=request, **given)
        return Response(status=status.HTTP_204_NO_CONTENT)
