"""Registers the room with Django."""

from __future__ import annotations

from django.apps import AppConfig


class DemoConfig(AppConfig):
    """The room `demo`."""

    name = "demo"
