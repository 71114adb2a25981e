"""Who asks and what for, as services take it."""

from __future__ import annotations

from typing import Any, TypedDict, cast

from django.http import HttpRequest
from rest_framework.request import Request

from accounts.models import User


class By(TypedDict):
    """Keyword arguments that every service of a person's act has."""

    user: User
    request: HttpRequest


def by(request: Request) -> By:
    """The signed-in person and Django's own request, for the audit."""
    plain = request._request  # noqa: SLF001 - DRF has no public name for it
    return {"user": cast("User", request.user), "request": plain}


def valid(kind: type[Any], request: Request) -> dict[str, Any]:
    """The body of a request, checked by a serializer of this kind.

    Raises:
        ValidationError: of REST framework, with what is wrong by field.
    """
    body = kind(data=request.data)
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)
