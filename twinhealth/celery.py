"""The Celery application; a worker that could not do its work does not start."""

from __future__ import annotations

import os
import threading
from typing import Any, Final

from celery import Celery
from celery.signals import setup_logging, worker_init, worker_shutting_down
from django_structlog.celery.steps import DjangoStructLogInitStep
from kombu.transport import TRANSPORT_ALIASES

# wherever a queue in files is asked for, it is the one that loses nothing
TRANSPORT_ALIASES["filesystem"] = "twinhealth.filequeue:Transport"
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")

app = Celery("twinhealth", task_cls="twinhealth.queue:HintTask")
app.set_default()  # for gunicorn's threads too: "current" is per thread
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()
END_GRACE_SECONDS: Final = 15.0  # beyond the longest task


@setup_logging.connect
def _configure_logging(**_kwargs: object) -> None:
    """Workers log as the web process does; without a receiver Celery installs its own handlers."""
    import logging.config

    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)


@worker_init.connect
def _check_before_work(sender: Any = None, **_kwargs: object) -> None:
    """A worker that could not do its work does not start; one that reads films needs weights."""
    import logging.config

    from django.conf import settings

    from twinhealth import checks

    logging.config.dictConfig(settings.LOGGING)  # Celery sets logs up later than this
    reads_films = "detect" in sender.app.amqp.queues.consume_from
    checks.refuse_on_errors(checks.START, *([checks.DETECTOR] if reads_films else []))


@worker_shutting_down.connect
def _end_for_certain(**_kwargs: object) -> None:
    """A worker that was told to end does end, after the longest that a task may take.

    A pool child that dies with the queue's lock in its hands (a signal to the whole group) leaves
    its parent waiting for ever: alive for whoever supervises it, and reading nothing.
    """
    longest = max((float(task.time_limit or 0) for task in app.tasks.values()), default=0.0)
    timer = threading.Timer(longest + END_GRACE_SECONDS, os._exit, args=(1,))
    timer.daemon = True
    timer.start()
