"""Registers the room with Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class ReadingConfig(AppConfig):
    """The room `reading`."""

    name = "reading"

    def ready(self) -> None:
        """Be counted on the left rail, answer the room below; models can be imported only now."""
        importlib.import_module("reading.badges").connect()
        importlib.import_module("reading.answers").connect()
