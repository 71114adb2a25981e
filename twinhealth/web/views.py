"""What is answered when Django itself says no: JSON in the one shape under /api/, else a page."""

from __future__ import annotations

from http import HTTPStatus

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from twinhealth.errors import (
    DomainError,
    InvalidInputError,
    NotFoundError,
    NotPermittedError,
    TooLargeError,
)

from .errors import status_of


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: the one error shape, or a page."""
    error = NotPermittedError(
        "csrf_failed", "The form has expired or came from elsewhere. Reload the page and try again."
    )
    return _answer(request, error, "error.html")


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400: what it refused before a view saw it."""
    if isinstance(exception, RequestDataTooBig):
        return _answer(
            request, TooLargeError("too_large", "The request is too large."), "error.html"
        )
    error = InvalidInputError("bad_request", "The request can't be understood.")
    # 400.html stands alone: the host name itself may be what was refused
    return _answer(request, error, "400.html")


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403."""
    error = NotPermittedError("permission_denied", "Your role has no access here.")
    return _answer(request, error, "403.html")


def page_not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return _answer(request, NotFoundError("not_found", "There is nothing here."), "404.html")


def server_error(request: HttpRequest) -> HttpResponse:
    """Django's handler500: our defect. It says no detail; the log has it under the request's id."""
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    if _wants_json(request):
        body = {
            "code": "server_error",
            "message": "Something broke on our side; it has been logged. Try again later.",
            "extra": {},
        }
        return JsonResponse(body, status=status)
    # no request: the context processors may be what broke
    return render(None, "500.html", status=status)


def method_not_allowed(request: HttpRequest, allow: str) -> HttpResponse:
    """Django's own 405 is empty; this one says what the address takes."""
    error = InvalidInputError("method_not_allowed", f"This address takes {allow} only.")
    status = HTTPStatus.METHOD_NOT_ALLOWED
    response: HttpResponse
    if _wants_json(request):
        response = JsonResponse(error.as_dict(), status=status)
    else:
        response = render(request, "error.html", {"error": error, "status": status}, status=status)
    response.headers["Allow"] = allow
    return response


def _wants_json(request: HttpRequest) -> bool:
    accepts = request.headers.get("Accept", "")
    return request.path.startswith("/api/") or accepts.startswith("application/json")


def _answer(request: HttpRequest, error: DomainError, template: str) -> HttpResponse:
    status = status_of(error)
    if _wants_json(request):
        return JsonResponse(error.as_dict(), status=status)
    return render(request, template, {"error": error, "status": status}, status=status)
