"""Makes `templatetags` and system checks of the hall known to Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig

from twinhealth import checks


class WebConfig(AppConfig):
    """The hall's street side."""

    name = "twinhealth.web"
    label = "web"

    def ready(self) -> None:
        """Register the checks, and the Celery application: the web process sends messages too."""
        checks.register()
        importlib.import_module("twinhealth.celery")
