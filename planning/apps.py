"""Registers the room with Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class PlanningConfig(AppConfig):
    """The room `planning`."""

    name = "planning"

    def ready(self) -> None:
        """Show its pages on those below; models can be imported only now."""
        importlib.import_module("planning.panels").connect()
