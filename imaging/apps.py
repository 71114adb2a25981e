"""Registers the room with Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class ImagingConfig(AppConfig):
    """The room `imaging`."""

    name = "imaging"

    def ready(self) -> None:
        """Be counted on the left rail."""
        importlib.import_module("imaging.badges").connect()  # models can be imported only now
