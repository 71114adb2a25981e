"""Is the process alive, the hospital ready, what does it count: asked by machines, no sign-in."""

from __future__ import annotations

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
