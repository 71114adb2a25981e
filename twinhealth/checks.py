"""System checks: what would stop the hospital later is said at the start.

`start` and `detector` are tags: gunicorn and Celery run no checks by themselves, so the web process
runs `start` (twinhealth/wsgi.py), a worker `start`, and one that reads films `detector` too
(twinhealth/celery.py). A failing check of those ends the process with a sentence.
They are deployment checks, so that `migrate` or `train_detector` still work without weights.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from django.apps import AppConfig
from django.conf import settings
from django.core import checks

from twinhealth import probes

log = structlog.get_logger(__name__)
START = "start"
DETECTOR = "detector"
PLACEHOLDERS = ("change", "secret", "example", "test-only", "django-insecure")


class StartRefusedError(SystemExit):
    """The process must not start; the reasons are logged. 78 is EX_CONFIG of sysexits.h."""

    def __init__(self, reasons: Sequence[str]) -> None:
        super().__init__(78)
        self.reasons = tuple(reasons)


def register() -> None:
    """Make the checks known to Django; called once, when the hall is ready."""
    checks.register(storage_is_writable, START, deploy=True)
    checks.register(queue_is_reachable, START, deploy=True)
    checks.register(production_is_sane, START, deploy=True)
    checks.register(weights_are_whole, DETECTOR, deploy=True)


def refuse_on_errors(*tags: str) -> None:
    """Run the checks of these tags.

    Raises:
        StartRefusedError: one of them found an error.
    """
    found = checks.run_checks(tags=tags, include_deployment_checks=True)
    errors = [message for message in found if message.level >= checks.ERROR]
    for message in errors:
        log.error("start_refused", check=message.id, problem=message.msg, hint=message.hint)
    if errors:
        raise StartRefusedError([str(message.msg) for message in errors])


def storage_is_writable(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> Iterable[checks.CheckMessage]:
    """Films could be stored."""
    why = probes.storage()
    if why:
        hint = (
            "Give the process's user the folder (DATA_DIR, MEDIA_ROOT), or make room on the disk."
        )
        yield checks.Error(why, hint=hint, id="twinhealth.E001")


def queue_is_reachable(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> Iterable[checks.CheckMessage]:
    """Messages could be sent. A warning: Redis may start later, and rows wait until then."""
    why = probes.queue()
    if why:
        yield checks.Warning(why, hint="Start Redis, or see REDIS_URL.", id="twinhealth.W002")


def weights_are_whole(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> Iterable[checks.CheckMessage]:
    """The weights are the file that the manifest names."""
    why = probes.weights()
    if why:
        hint = "See DETECTOR_WEIGHTS; `git checkout -- detection/weights` brings the file back."
        yield checks.Error(why, hint=hint, id="twinhealth.E003")


def production_is_sane(
    app_configs: Sequence[AppConfig] | None, **_: Any
) -> Iterable[checks.CheckMessage]:
    """Outside the embedded mode: no debug, no placeholder for a secret, no host list of all."""
    if settings.EMBEDDED:
        return
    if settings.DEBUG:
        yield checks.Error("DEBUG is on", id="twinhealth.E010")
    if any(word in settings.SECRET_KEY.lower() for word in PLACEHOLDERS):
        hint = 'python -c "import secrets; print(secrets.token_urlsafe(64))" makes one.'
        yield checks.Error("SECRET_KEY is a placeholder", hint=hint, id="twinhealth.E011")
    if "*" in settings.ALLOWED_HOSTS:
        hint = "Name the hosts under which browsers reach this server."
        yield checks.Error("ALLOWED_HOSTS lets every host name in", hint=hint, id="twinhealth.E012")
    if not settings.SECURE_SSL_REDIRECT:
        hint = "Only where nothing but a TLS proxy reaches this server."
        yield checks.Warning("Plain http is answered", hint=hint, id="twinhealth.W013")
