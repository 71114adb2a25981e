"""Makes `templatetags` and system checks of the hall known to Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The hall's street side."""

    name = "twinhealth.web"
    label = "web"

    def ready(self) -> None:
        """Make the Celery application the current one: the web process sends messages too."""
        importlib.import_module("twinhealth.celery")
