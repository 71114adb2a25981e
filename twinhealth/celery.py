"""The Celery application. Beat's timetable stands here; each entry names a room's task by string."""

from __future__ import annotations

import os

from celery import Celery
from celery.signals import setup_logging
from django_structlog.celery.steps import DjangoStructLogInitStep

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")

app = Celery("twinhealth")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.steps["worker"].add(DjangoStructLogInitStep)
app.autodiscover_tasks()


@setup_logging.connect
def _configure_logging(**_kwargs: object) -> None:
    """Workers log as the web process does; without a receiver Celery installs its own handlers."""
    import logging.config

    from django.conf import settings

    logging.config.dictConfig(settings.LOGGING)
