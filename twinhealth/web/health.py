"""Is the process alive, the hospital ready, what does it count: asked by machines, no sign-in.

Answered by a middleware before all others: a container's health check and Prometheus reach the
process by an address that is no host name of the hospital, over plain http, and every few seconds.
"""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from twinhealth import probes

from .metrics import exposition


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """The process answers; nothing else is asked, so that a slow database restarts no process."""
    return JsonResponse({"status": "ok"})


@never_cache
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when database, queue, storage and weights are there, else 503; each with its why."""
    answers = probes.run_all()
    ready = all(answer["ok"] for answer in answers.values())
    return JsonResponse(
        {"status": "ok" if ready else "unavailable", "checks": answers},
        status=HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE,
    )


@never_cache
@require_safe
def metrics(request: HttpRequest) -> HttpResponse:
    """Prometheus text format."""
    body, content_type = exposition()
    return HttpResponse(body, content_type=content_type)


ADDRESSES: dict[str, Callable[[HttpRequest], HttpResponse]] = {
    "/healthz": healthz,
    "/readyz": readyz,
    "/metrics": metrics,
}


class HealthMiddleware:
    """Answers the three addresses; passes everything else on."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer or pass on."""
        view = ADDRESSES.get(request.path_info)
        return view(request) if view else self.get_response(request)
