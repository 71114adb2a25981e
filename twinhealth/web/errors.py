"""Where a domain error becomes an HTTP status; the shape is `{code, message, extra}`."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.exceptions import ValidationError as DjangoValidationError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import exception_handler as drf_exception_handler
from rest_framework.views import set_rollback

from twinhealth import errors

STATUS_BY_KIND: dict[type[errors.DomainError], HTTPStatus] = {
    errors.InvalidInputError: HTTPStatus.BAD_REQUEST,
    errors.TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.ConflictError: HTTPStatus.CONFLICT,
    errors.PreconditionFailedError: HTTPStatus.PRECONDITION_FAILED,
    errors.NotPermittedError: HTTPStatus.FORBIDDEN,
    errors.NotFoundError: HTTPStatus.NOT_FOUND,
    errors.UnavailableError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
}


def status_of(error: errors.DomainError) -> HTTPStatus:
    """HTTP status of a domain error; 400 for a kind that the table doesn't have."""
    for kind in type(error).__mro__:
        if kind in STATUS_BY_KIND:
            return STATUS_BY_KIND[kind]
    return HTTPStatus.BAD_REQUEST


def headers_of(error: errors.DomainError) -> dict[str, str]:
    """HTTP headers that belong to a domain error (RFC 9110, 10.2.3)."""
    seconds = error.extra.get("retry_after")
    return {"Retry-After": str(seconds)} if seconds is not None else {}


def exception_handler(exc: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: every error of the API leaves in the one shape."""
    if isinstance(exc, errors.DomainError):
        set_rollback()
        return Response(exc.as_dict(), status=status_of(exc), headers=headers_of(exc))
    if isinstance(exc, DjangoValidationError):
        exc = exceptions.ValidationError(detail=exc.messages)
    response = drf_exception_handler(exc, context)
    if response is None:
        return None  # a defect of ours: Django logs it and answers 500
    detail = response.data
    if isinstance(exc, exceptions.ValidationError):
        body = {
            "code": "invalid",
            "message": "The request has errors; see extra.",
            "extra": detail if isinstance(detail, dict) else {"errors": detail},
        }
    else:
        code = "not_found" if isinstance(exc, Http404) else getattr(exc, "default_code", "error")
        if isinstance(exc, PermissionDenied):
            code = "permission_denied"
        text = detail.get("detail", detail) if isinstance(detail, dict) else detail
        wait = getattr(exc, "wait", None)  # seconds, of DRF's Throttled
        extra = {"retry_after": math.ceil(wait)} if wait is not None else {}
        body = {"code": str(code), "message": str(text), "extra": extra}
    response.data = body
    return response
