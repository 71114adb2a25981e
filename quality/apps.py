"""Registers the room with Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class QualityConfig(AppConfig):
    """The room `quality`."""

    name = "quality"

    def ready(self) -> None:
        """Show its sections, guard its orders, hear of marks; models can be imported only now."""
        importlib.import_module("quality.panels").connect()
        importlib.import_module("quality.telling").connect()
        importlib.import_module("quality.selectors.dossier").connect()
