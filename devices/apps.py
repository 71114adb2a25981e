"""Registers the room with Django."""

from __future__ import annotations

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """The room `devices`."""

    name = "devices"
