"""Registers the room with Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """The room `devices`."""

    name = "devices"

    def ready(self) -> None:
        """Be counted in /metrics."""
        importlib.import_module("devices.gauges").connect()  # models can be imported only now
