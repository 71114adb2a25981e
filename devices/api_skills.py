"""REST of skills of people."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.permissions import Can

from .api import actor
from .api_alerts import given_by
from .api_maintenance import Base
from .models import PersonSkill
from .selectors import order_people as selectors
from .serializers_maintenance import worker_field
from .services import skills


class PersonSkillSerializer(serializers.ModelSerializer[PersonSkill]):
    """One skill of one person, valid through its last day."""

    person = worker_field()
    given_by = serializers.CharField(source="given_by.username", default=None, read_only=True)

    class Meta:
        model = PersonSkill
        fields = ["id", "person", "name", "valid_until", "given_by", "given_at"]
        read_only_fields = ["id", "given_at"]
        validators: list[object] = []  # given twice: the last day changes


class PersonSkillViewSet(Base):
    """Who is able to do what."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "create": Can.MAINTENANCE_PLAN,
        "destroy": Can.MAINTENANCE_PLAN,
    }
    queryset = selectors.skills()
    serializer_class = PersonSkillSerializer
    filterset_fields = {"person__username": ["exact"], "name": ["iexact"]}
    ordering_fields = ["name", "valid_until"]

    @extend_schema(summary="Give a skill, or change until when it is valid")
    def create(self, request: Request) -> Response:
        """To somebody who works on orders."""
        given = given_by(PersonSkillSerializer, request)
        found = skills.give(actor=actor(request), request=request, **given)
        return Response(PersonSkillSerializer(found).data, status=status.HTTP_201_CREATED)

    @extend_schema(summary="Take a skill away", responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """The audit trail keeps that it was there."""
        skills.take(skill=skills.get(int(pk)), actor=actor(request), request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)
