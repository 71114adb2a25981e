"""Registers the room with Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """The room `devices`."""

    name = "devices"

    def ready(self) -> None:
        """Be counted in /metrics and on the left rail, have every task known; models exist now."""
        importlib.import_module("devices.tasks_imports")
        importlib.import_module("devices.gauges").connect()
        importlib.import_module("devices.badges").connect()
