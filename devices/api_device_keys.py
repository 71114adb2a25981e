"""REST of machines' own keys, and what lets one in at the door of readings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, cast

import structlog
from django.contrib.auth.models import AnonymousUser
from django.utils import timezone
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.utils import extend_schema
from rest_framework import status
from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import ratelimit
from accounts.address import remote_address
from accounts.api_permissions import DeclaredPermission
from accounts.models import User
from accounts.permissions import Can
from devices.models import DeviceKey
from devices.selectors import twin as twin_selectors
from devices.services import keys

from . import serializers_keys as shapes

log = structlog.get_logger(__name__)


class DeviceKeyAuthentication(BaseAuthentication):
    """`Authorization: Device <key>`; who comes in is nobody, with the key as `request.auth`."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, DeviceKey] | None:
        """The key; wrong ones are counted, so that one address can't send them without end."""
        word, _, text = get_authorization_header(request).partition(b" ")
        if word.lower() != b"device":
            return None
        given = text.strip().decode("latin-1")
        try:
            return AnonymousUser(), keys.authenticate(text=given, now=timezone.now())
        except keys.KeyRefusedError as error:
            log.warning("device_key_refused", code=error.code, key=keys.open_part(given))
            ratelimit.take(
                what="device key",
                username=keys.open_part(given),
                address=remote_address(request),
            )
            refused = AuthenticationFailed(error.message)
            refused.default_code = error.code
            raise refused from None

    def authenticate_header(self, request: Request) -> str:
        """What makes DRF answer 401, not 403."""
        return "Device"


class DeviceKeyScheme(OpenApiAuthenticationExtension):
    """In the API's description."""

    target_class = DeviceKeyAuthentication
    name = "deviceKey"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        """A header, as the token is."""
        return {
            "type": "apiKey",
            "in": "header",
            "name": "Authorization",
            "description": "A machine's own key, `Device <key>`",
        }


class RoleOrOwnKey(DeclaredPermission):
    """The role that holds the permission, or a key of the machine in the address."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Refuses the key of another machine with its own code."""
        if isinstance(request.auth, DeviceKey):
            keys.check_device(key=request.auth, device_id=int(view.kwargs["pk"]))
            return True
        return super().has_permission(request, view)


def _made(key: DeviceKey, text: str) -> Response:
    body = {**shapes.DeviceKeySerializer(key).data, "key": text}
    response = Response(body, status=status.HTTP_201_CREATED)
    response.headers["Cache-Control"] = "no-store"
    return response


class DeviceKeysView(APIView):
    """The keys of one machine."""

    required = {"get": Can.DEVICE_READ, "post": Can.DEVICE_WRITE}

    @extend_schema(
        summary="A machine's own keys, never their text",
        operation_id="devices_keys_list",
        responses=shapes.DeviceKeySerializer(many=True),
    )
    def get(self, request: Request, pk: int) -> Response:
        """Newest first, revoked and expired ones too."""
        device = twin_selectors.get(pk)
        return Response(shapes.DeviceKeySerializer(device.keys.all(), many=True).data)

    @extend_schema(
        summary="Make a key; the answer shows it once",
        request=shapes.NewDeviceKeySerializer,
        responses={201: shapes.MadeDeviceKeySerializer},
    )
    def post(self, request: Request, pk: int) -> Response:
        """A key with which this machine alone may send its readings."""
        given = shapes.NewDeviceKeySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        key, text = keys.make(
            device=twin_selectors.get(pk),
            actor=cast("User", request.user),
            request=request,
            **given.validated_data,
        )
        return _made(key, text)


class DeviceKeyView(APIView):
    """One key."""

    required = {"delete": Can.DEVICE_WRITE}

    @extend_schema(summary="Revoke a key at once", responses={204: None})
    def delete(self, request: Request, pk: int, key_id: int) -> Response:
        """It opens nothing from now on."""
        key = keys.get(device=twin_selectors.get(pk), key_id=key_id)
        keys.revoke(key=key, actor=cast("User", request.user), request=request)
        return Response(status=status.HTTP_204_NO_CONTENT)


class DeviceKeyRotateView(APIView):
    """A key's successor."""

    required = {"post": Can.DEVICE_WRITE}

    @extend_schema(
        summary="A key's successor, shown once; the old one goes on for a while",
        request=shapes.RotateKeySerializer,
        responses={201: shapes.MadeDeviceKeySerializer},
    )
    def post(self, request: Request, pk: int, key_id: int) -> Response:
        """Both open the door until the old one has expired."""
        given = shapes.RotateKeySerializer(data=request.data)
        given.is_valid(raise_exception=True)
        key, text = keys.rotate(
            key=keys.get(device=twin_selectors.get(pk), key_id=key_id),
            actor=cast("User", request.user),
            overlap=timedelta(hours=given.validated_data["overlap_hours"]),
            request=request,
        )
        return _made(key, text)
