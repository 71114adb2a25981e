"""A worker that reads films loads the detector when it starts, not on the first film's time.

One that reads films apart loads none, and stands back where both want the processor.
"""

from __future__ import annotations

import os
from typing import Any

import structlog
from celery import current_app
from celery.signals import worker_process_init
from django.db import DatabaseError, connection

from detection.services import engine
from detection.services.which import active_version
from twinhealth.errors import UnavailableError

log = structlog.get_logger(__name__)
QUEUE = "detect"
APART = "shadow"
NICER = 10  # POSIX nice(2): the lowest tenth of the processor's time where somebody else wants it


def connect() -> None:
    """Listen; called once, when the room is ready. Only Celery's worker sends the signal."""
    worker_process_init.connect(load_detector, dispatch_uid="detection.load_detector")
    worker_process_init.connect(stand_back, dispatch_uid="detection.stand_back")


def stand_back(**_: Any) -> None:
    """Lower the priority of a process that only reads apart."""
    queues = current_app.amqp.queues.consume_from
    if APART in queues and QUEUE not in queues:
        os.nice(NICER)


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
