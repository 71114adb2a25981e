"""REST of vendors, parts and their movements."""

from __future__ import annotations

from typing import Any

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Can, may
from devices.api import actor
from devices.api_alerts import given_by
from devices.api_maintenance import Base, pk_filter
from twinhealth.errors import InvalidInputError, NotPermittedError

from . import selectors
from . import serializers as shapes
from .models import MovementKind, Part, StockMovement, Vendor
from .services import parts, stock, vendors


class VendorViewSet(Base):
    """Vendors."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "create": Can.MAINTENANCE_PLAN,
        "partial_update": Can.MAINTENANCE_PLAN,
    }
    queryset = Vendor.objects.order_by("name")
    serializer_class = shapes.VendorSerializer
    filterset_fields = ["active"]
    ordering_fields = ["name"]

    @extend_schema(summary="One vendor", responses=shapes.VendorSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """Whom to call."""
        return Response(shapes.VendorSerializer(self._one(pk)).data)

    @extend_schema(
        summary="Add a vendor",
        request=shapes.GivenVendorSerializer,
        responses={201: shapes.VendorSerializer},
    )
    def create(self, request: Request) -> Response:
        """Its name is unique."""
        given = given_by(shapes.GivenVendorSerializer, request)
        made = vendors.save(actor=actor(request), request=request, **given)
        return Response(shapes.VendorSerializer(made).data, status=status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a vendor",
        request=shapes.GivenVendorSerializer(partial=True),
        responses=shapes.VendorSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """What isn't named stays."""
        found = self._one(pk)
        given = given_by(shapes.GivenVendorSerializer, request, partial=True)
        saved = vendors.save(actor=actor(request), vendor=found, request=request, **given)
        return Response(shapes.VendorSerializer(saved).data)

    def _one(self, pk: str) -> Vendor:
        return selectors.one(Vendor.objects.all(), int(pk), "vendor_not_found")


class PartFilters(django_filters.FilterSet):
    """Parts by vendor, model and whether they are to be reordered."""

    vendor = pk_filter("vendor")
    fits = pk_filter("fits")
    active = django_filters.BooleanFilter()
    low = django_filters.BooleanFilter(method="filter_low")

    class Meta:
        model = Part
        fields: list[str] = []

    def filter_low(self, found: QuerySet[Part], name: str, value: bool) -> QuerySet[Part]:  # noqa: FBT001
        """At or below their level."""
        return found.filter(selectors.LOW) if value else found.exclude(selectors.LOW)


class PartViewSet(Base):
    """Parts, with what there is of each."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "retrieve": Can.MAINTENANCE_READ,
        "create": Can.MAINTENANCE_PLAN,
        "partial_update": Can.MAINTENANCE_PLAN,
        "movements": Can.MAINTENANCE_READ,
        "move": Can.ORDER_WORK,
    }
    queryset = selectors.parts()
    serializer_class = shapes.StockPartSerializer
    filterset_class = PartFilters
    ordering_fields = ["number", "name", "stock", "price"]

    @extend_schema(summary="One part", responses=shapes.StockPartSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """With its stock."""
        return self._shown(int(pk))

    @extend_schema(
        summary="Add a part",
        request=shapes.GivenStockPartSerializer,
        responses={201: shapes.StockPartSerializer},
    )
    def create(self, request: Request) -> Response:
        """It begins with nothing in stock."""
        given = given_by(shapes.GivenStockPartSerializer, request)
        made, _ = parts.save(actor=actor(request), request=request, **given)
        return self._shown(made.pk, status.HTTP_201_CREATED)

    @extend_schema(
        summary="Change a part",
        request=shapes.GivenStockPartSerializer(partial=True),
        responses=shapes.StockPartSerializer,
    )
    def partial_update(self, request: Request, pk: str) -> Response:
        """What isn't named stays; its stock, movements alone change."""
        found = self._one(int(pk))
        given = given_by(shapes.GivenStockPartSerializer, request, partial=True)
        parts.save(actor=actor(request), part=found, request=request, **given)
        return self._shown(found.pk)

    @extend_schema(
        operation_id="parts_movements_list",
        summary="Movements of a part, newest first",
        responses=shapes.StockMovementSerializer(many=True),
        filters=False,
    )
    @action(detail=True, methods=["get"])
    def movements(self, request: Request, pk: str) -> Response:
        """Rows are only ever added."""
        found = StockMovement.objects.filter(part=self._one(int(pk))).select_related("by")
        page: Any = self.paginate_queryset(found.order_by("-pk"))
        return self.get_paginated_response(shapes.StockMovementSerializer(page, many=True).data)

    @extend_schema(
        summary="Book a movement",
        request=shapes.NewMovementSerializer,
        responses={201: shapes.StockMovementSerializer},
    )
    @movements.mapping.post
    def move(self, request: Request, pk: str) -> Response:
        """409 `not_enough_stock` where there isn't so much."""
        part = self._one(int(pk))
        given = given_by(shapes.NewMovementSerializer, request)
        made = self._moved(request, part, given)
        return Response(shapes.StockMovementSerializer(made).data, status=status.HTTP_201_CREATED)

    def _moved(self, request: Request, part: Part, given: dict[str, Any]) -> StockMovement:
        kind, reason = given["kind"], given.get("reason", "")
        who: dict[str, Any] = {"actor": actor(request), "request": request, "reason": reason}
        if kind == MovementKind.RETURN:
            issues = StockMovement.objects.filter(part=part)
            found = selectors.one(issues, _needed(given, "issue"), "movement_not_found")
            return stock.give_back(movement=found, amount=given.get("amount"), **who)
        amount = _needed(given, "amount")
        if kind == MovementKind.ISSUE:
            return stock.issue(part=part, order=_needed(given, "order"), amount=amount, **who)
        if not may(request.user, Can.MAINTENANCE_PLAN):
            raise NotPermittedError("permission_denied", "Who plans maintenance books this.")
        if kind == MovementKind.COUNT:
            return stock.count(part=part, counted=amount, **who)
        return stock.receive(part=part, amount=amount, **who)

    def _one(self, pk: int) -> Part:
        return selectors.one(selectors.parts(), pk, "part_not_found")

    def _shown(self, pk: int, code: int = status.HTTP_200_OK) -> Response:
        return Response(shapes.StockPartSerializer(self._one(pk)).data, status=code)


def _needed(given: dict[str, Any], name: str) -> Any:
    if given.get(name) is None:
        raise InvalidInputError(f"{name}_missing", f"This movement needs `{name}`.", field=name)
    return given[name]
