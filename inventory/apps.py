"""Registers the room with Django."""

from __future__ import annotations

import importlib

from django.apps import AppConfig


class InventoryConfig(AppConfig):
    """The room `inventory`."""

    name = "inventory"

    def ready(self) -> None:
        """Show its sections on pages below, hear of new machines; models exist only now."""
        importlib.import_module("inventory.panels").connect()
        importlib.import_module("inventory.sections").connect()
        importlib.import_module("inventory.arrivals").connect()
        importlib.import_module("inventory.telling").connect()
