"""Addresses of the house itself: is the process alive, is it ready, what does it count."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render

from twinhealth.errors import NotPermittedError


def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers."""
    return JsonResponse({"status": "ok"})


def readyz(request: HttpRequest) -> JsonResponse:
    """Database, queue, storage and weights are there."""
    return JsonResponse({"status": "ok"})


def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text format."""
    return HttpResponse("", content_type="text/plain")


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """A form came without its token: the one error shape, or a page."""
    error = NotPermittedError(
        "csrf_failed", "The form has expired or came from elsewhere. Reload the page and try again."
    )
    if request.path.startswith("/api/"):
        return JsonResponse(error.as_dict(), status=403)
    return render(request, "error.html", {"error": error, "status": 403}, status=403)
