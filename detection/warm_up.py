"""A worker that reads films loads the detector when it starts, not on the first film's time."""

from __future__ import annotations

from typing import Any

import structlog
from celery import current_app
from celery.signals import worker_process_init
from django.db import DatabaseError, connection

from detection.services import engine
from detection.services.runs import active_version
from twinhealth.errors import UnavailableError

log = structlog.get_logger(__name__)
QUEUE = "detect"


def connect() -> None:
    """Listen; called once, when the room is ready. Only Celery's worker sends the signal."""
    worker_process_init.connect(load_detector, dispatch_uid="detection.load_detector")


def load_detector(**_: Any) -> None:
    """Load the active version's detector in a fresh worker process.

    A failure is only logged: the queued runs say what they wait for, and each tries again.
    """
    if QUEUE not in current_app.amqp.queues.consume_from:
        return
    try:
        version = active_version()
        if version is not None:
            engine.detector_for(version)
    except (DatabaseError, UnavailableError):
        log.warning("detector_not_loaded_at_start", exc_info=True)
    finally:
        connection.close()
