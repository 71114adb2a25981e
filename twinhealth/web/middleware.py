"""What stands around every page: refusing what can't be an address, showing domain errors."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus

from django.core.exceptions import SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from twinhealth.errors import DomainError

from .errors import headers_of, status_of
from .views import bad_request, method_not_allowed, page_not_found

_NO_ID = re.compile(r"/\d{19,}(?:/|$)")


class StorableAddressMiddleware:
    """Answers what no row can match and a database would raise on.

    400 to a NUL in path or query (PostgreSQL), 404 to a part of the path that is a number of 19
    digits or more (SQLite; ids end earlier, and UIDs have dots).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Refuse, or pass on."""
        if "\0" in request.path or "%00" in request.META.get("QUERY_STRING", ""):
            return bad_request(request, SuspiciousOperation("NUL in the address"))
        if _NO_ID.search(request.path):
            return page_not_found(request, Http404())
        return self.get_response(request)


class DomainErrorMiddleware:
    """Turns a `DomainError` into `error.html`, a fragment for htmx, or JSON under /api/."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; errors come through `process_exception`."""
        response = self.get_response(request)
        if response.status_code == HTTPStatus.METHOD_NOT_ALLOWED and not response.content:
            return method_not_allowed(request, response.headers.get("Allow", ""))
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        """Render a domain error; anything else is a defect and stays one."""
        if not isinstance(exception, DomainError):
            return None
        status, headers = status_of(exception), headers_of(exception)
        accepts = request.headers.get("Accept", "")
        if request.path.startswith("/api/") or accepts.startswith("application/json"):
            return JsonResponse(exception.as_dict(), status=status, headers=headers)
        template = "partials/error.html" if getattr(request, "htmx", False) else "error.html"
        context = {"error": exception, "status": status}
        response = render(request, template, context, status=status)
        for name, value in headers.items():
            response.headers[name] = value
        return response
