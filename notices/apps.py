"""Registers the room with Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class NoticesConfig(AppConfig):
    """The room `notices`."""

    name = "notices"

    def ready(self) -> None:
        """Register kinds, letters, the second count of the bell and links; models exist now."""
        for name in ("order_dates", "order_news", "letters", "panels"):
            importlib.import_module(f"notices.{name}").connect()
