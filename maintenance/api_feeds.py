"""REST of a person's calendar addresses."""

from __future__ import annotations

from typing import Any, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.models import User
from accounts.permissions import Can
from devices.fields import LARGEST_ID

from . import selectors_feeds as selectors
from .models import CalendarFeed, FeedScope
from .services import feeds
from .views_feeds import address


class CalendarFeedSerializer(serializers.ModelSerializer[CalendarFeed]):
    """One calendar; its address was shown when it was made."""

    class Meta:
        model = CalendarFeed
        fields = ["id", "name", "scope", "created_at", "read_at"]
        read_only_fields = fields


class NewCalendarFeedSerializer(serializers.Serializer[Any]):
    """A calendar to make."""

    name = serializers.CharField(max_length=64)
    scope = serializers.ChoiceField(choices=FeedScope.choices, default=FeedScope.OWN)


class MadeCalendarFeedSerializer(CalendarFeedSerializer):
    """With its address, this once."""

    address = serializers.CharField()

    class Meta(CalendarFeedSerializer.Meta):
        fields = [*CalendarFeedSerializer.Meta.fields, "address"]
        read_only_fields = fields


class CalendarFeedsView(APIView):
    """A person's own calendars."""

    required = {"get": Can.MAINTENANCE_READ, "post": Can.MAINTENANCE_READ}

    @extend_schema(
        operation_id="calendar_feeds_list",
        summary="One's own calendars",
        responses=CalendarFeedSerializer(many=True),
    )
    def get(self, request: Request) -> Response:
        """Those not revoked; at most ten."""
        found = selectors.feeds(cast("User", request.user))
        return Response(CalendarFeedSerializer(found, many=True).data)

    @extend_schema(
        summary="Make a calendar",
        request=NewCalendarFeedSerializer,
        responses={201: MadeCalendarFeedSerializer},
    )
    def post(self, request: Request) -> Response:
        """Its address is shown this once."""
        form = NewCalendarFeedSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = cast("User", request.user)
        made, token = feeds.make(user=user, request=request, **form.validated_data)
        shown = CalendarFeedSerializer(made).data
        return Response(
            {**shown, "address": address(request._request, token)},  # noqa: SLF001 - the page's own
            status=status.HTTP_201_CREATED,
        )


class CalendarFeedView(APIView):
    """One of them."""

    required = {"delete": Can.MAINTENANCE_READ}

    @extend_schema(summary="Revoke a calendar", responses={204: None})
    def delete(self, request: Request, pk: int) -> Response:
        """Its address answers 404 from now on."""
        feeds.revoke(user=cast("User", request.user), pk=min(pk, LARGEST_ID), request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)
