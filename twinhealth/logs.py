"""Logs: one JSON line each, with request_id and task_id bound by django-structlog.

Web, workers, beat and gunicorn's master all log through this.
"""

from __future__ import annotations

import re
from typing import Any

import structlog

# whoever has a calendar's address can read it: a log must not hold one
_CALENDAR = re.compile(r"(/calendar/)[^/\s]+(\.ics)")


def without_tokens(logger: Any, method: str, event: dict[str, Any]) -> dict[str, Any]:
    """Addresses of calendars without their token; a processor of structlog."""
    for name, value in event.items():
        if isinstance(value, str) and "/calendar/" in value:
            event[name] = _CALENDAR.sub(r"\1…\2", value)
    return event


_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
]


def logging_config(level: str) -> dict[str, Any]:
    """For `logging.config.dictConfig`; lines of libraries leave in the same form as ours."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "json": {
                "()": structlog.stdlib.ProcessorFormatter,
                "foreign_pre_chain": _SHARED,
                "processors": [
                    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                    structlog.processors.format_exc_info,
                    without_tokens,
                    structlog.processors.JSONRenderer(),
                ],
            },
        },
        "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["console"], "level": level},
        "loggers": {
            "pydicom": {"level": "ERROR"},
            "django.security.csrf": {"level": "ERROR"},
            "mmengine": {"level": "ERROR"},
            # gunicorn gives its loggers handlers of their own; these take their place
            "gunicorn.error": {"handlers": ["console"], "level": level, "propagate": False},
            "gunicorn.access": {"handlers": [], "propagate": False},
        },
    }


def configure_structlog() -> None:
    """Send structlog's events through the standard library's handlers."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.filter_by_level,
            *_SHARED[1:],
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
