"""REST of notices: one's own, the settings, the house's policy."""

from __future__ import annotations

from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet

from accounts.models import User
from accounts.permissions import Can
from devices.api import actor
from devices.api_alerts import given_by, one_of
from devices.notice_kinds import Way

from . import people, selectors
from .models import LARGEST_AHEAD, LONGEST_DAYS, MOST_AHEAD, Notice, NoticePolicy, Scope
from .services import choosing, policies, reading
from .spans import policy_now


class NoticeSerializer(serializers.ModelSerializer[Notice]):
    """What a person was told; `ended_because` where it is no longer true."""

    email = serializers.IntegerField(
        source="message_id", allow_null=True, read_only=True,
        help_text="number of its e-mail among `alert-deliveries/`",
    )  # fmt: skip
    way = serializers.ChoiceField(choices=Way.choices)

    class Meta:
        model = Notice
        fields = [
            "id", "kind", "subject", "occasion", "title", "path", "room", "is_synthetic", "way",
            "at", "told_at", "read_at", "ended_at", "ended_because", "email",
        ]  # fmt: skip


class NoticeReadSerializer(serializers.Serializer[Any]):
    """Read, or unread again."""

    read = serializers.BooleanField(default=True)


class NoticesReadSerializer(serializers.Serializer[Any]):
    """How many were unread."""

    read = serializers.IntegerField()


class NoticeSettingsSerializer(serializers.Serializer[Any]):
    """How a person is told; a kind that isn't named follows the role's default."""

    ways = serializers.DictField(child=serializers.ChoiceField(choices=Way.choices))
    ahead = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=LARGEST_AHEAD),
        max_length=MOST_AHEAD,
    )
    scope = serializers.ChoiceField(choices=Scope.choices)
    rooms = serializers.ListField(
        child=serializers.CharField(max_length=64), max_length=100, default=list
    )
    digest = serializers.BooleanField()
    digest_at = serializers.TimeField(help_text="by the hospital's clock")
    digest_empty = serializers.BooleanField(default=False)
    quiet_from = serializers.TimeField(allow_null=True, default=None)
    quiet_to = serializers.TimeField(allow_null=True, default=None)
    quiet_days = serializers.ListField(
        child=serializers.IntegerField(min_value=0, max_value=6), max_length=7, default=list,
        help_text="Monday 0",
    )  # fmt: skip
    urgent_passes = serializers.BooleanField(default=True)


class NoticePolicySerializer(serializers.ModelSerializer[NoticePolicy]):
    """What holds; `number` is 0 until somebody settled something."""

    by = serializers.CharField(source="by_name", read_only=True)
    at = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta:
        model = NoticePolicy
        fields = ["number", "escalate_days", "hold_days", "reason", "by", "at"]
        read_only_fields = fields


class NoticePolicyInSerializer(serializers.Serializer[Any]):
    """What is settled."""

    escalate_days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS)
    hold_days = serializers.IntegerField(min_value=1, max_value=LONGEST_DAYS)
    reason = serializers.CharField(max_length=300)
    seen = serializers.IntegerField(
        min_value=0, max_value=2**31 - 1, required=False, allow_null=True, default=None,
        help_text="number of the policy that was looked at; 409 `policy_changed` if another holds",
    )  # fmt: skip


class NoticeViewSet(GenericViewSet[Notice]):
    """The person's own notices of maintenance."""

    required = {
        "list": Can.MAINTENANCE_READ,
        "read": Can.MAINTENANCE_READ,
        "read_all": Can.MAINTENANCE_READ,
    }
    queryset = Notice.objects.none()
    serializer_class = NoticeSerializer
    lookup_value_regex = r"\d{1,18}"
    filter_backends = []

    @extend_schema(
        summary="What I was told of maintenance",
        parameters=[
            OpenApiParameter("show", str, enum=["unread", "over"]),
            OpenApiParameter("kind", str, description="key of a kind"),
        ],
    )
    def list(self, request: Request) -> Response:
        """Newest first."""
        user = actor(request)
        chosen = selectors.NoticeFilter(
            show=one_of(request, "show", ["unread", "over"]),
            kind=one_of(request, "kind", [kind.key for kind in selectors.kinds_for(user)]),
        )
        page = self.paginate_queryset(chosen.rows(user))
        return self.get_paginated_response(NoticeSerializer(page, many=True).data)

    @extend_schema(
        summary="I have seen it, or not", request=NoticeReadSerializer, responses=NoticeSerializer
    )
    @action(detail=True, methods=["post"])
    def read(self, request: Request, pk: str) -> Response:
        """404 `notice_not_found` of another person's."""
        given = given_by(NoticeReadSerializer, request)
        found = reading.mark(user=actor(request), pk=int(pk), read=given["read"])
        return Response(NoticeSerializer(found).data)

    @extend_schema(
        operation_id="notices_read_all",
        summary="I have seen all of them",
        request=None,
        responses=NoticesReadSerializer,
    )
    @action(detail=False, methods=["post"], url_path="read", pagination_class=None)
    def read_all(self, request: Request) -> Response:
        """Those that are unread."""
        count, _ = reading.mark_all(user=actor(request))
        return Response({"read": count})


class NoticeSettingsView(APIView):
    """How the person is told."""

    required = {"get": Can.MAINTENANCE_READ, "put": Can.MAINTENANCE_READ}

    @extend_schema(summary="How I am told", responses=NoticeSettingsSerializer)
    def get(self, request: Request) -> Response:
        """Each kind with how it is told, chosen or by the role."""
        return Response(_settings(actor(request)))

    @extend_schema(
        summary="Choose how I am told",
        request=NoticeSettingsSerializer,
        responses=NoticeSettingsSerializer,
    )
    def put(self, request: Request) -> Response:
        """All of it."""
        given = given_by(NoticeSettingsSerializer, request)
        choosing.choose(user=actor(request), request=request, **given)
        return Response(_settings(actor(request)))


def _settings(user: User) -> dict[str, Any]:
    person = people.person(user)
    body: dict[str, Any] = NoticeSettingsSerializer(person.settings).data
    ways = {kind.key: person.chosen(kind).value for kind in selectors.kinds_for(user)}
    return {**body, "ways": ways}


class NoticePolicyView(APIView):
    """Days until escalation, and on hold."""

    required = {"get": Can.MAINTENANCE_READ, "post": Can.MAINTENANCE_PLAN}

    @extend_schema(operation_id="notice_policy", responses=NoticePolicySerializer)
    def get(self, request: Request) -> Response:
        """What holds."""
        return Response(NoticePolicySerializer(policy_now()).data)

    @extend_schema(
        operation_id="notice_policy_settle",
        request=NoticePolicyInSerializer,
        responses={201: NoticePolicySerializer},
    )
    def post(self, request: Request) -> Response:
        """Settle another one."""
        given = given_by(NoticePolicyInSerializer, request)
        made = policies.settle(user=actor(request), now=timezone.now(), request=request, **given)
        return Response(NoticePolicySerializer(made).data, status=status.HTTP_201_CREATED)
