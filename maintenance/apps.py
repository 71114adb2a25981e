"""Registers the room with Django."""

from __future__ import annotations

from django.apps import AppConfig


class MaintenanceConfig(AppConfig):
    """The room `maintenance`."""

    name = "maintenance"
