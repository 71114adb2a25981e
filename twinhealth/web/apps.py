"""Makes `templatetags` and system checks of the hall known to Django."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """The hall's street side."""

    name = "twinhealth.web"
    label = "web"
