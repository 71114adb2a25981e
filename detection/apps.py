"""Registers the room with Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class DetectionConfig(AppConfig):
    """The room `detection`."""

    name = "detection"

    def ready(self) -> None:
        """Listen for stored images and for workers that start; be counted in /metrics."""
        # by name, because models can be imported only now
        importlib.import_module("detection.signals_receivers").connect()
        importlib.import_module("detection.warm_up").connect()
        importlib.import_module("detection.gauges").connect()
