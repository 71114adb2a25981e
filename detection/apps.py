"""Registers the room with Django."""

from __future__ import annotations

from django.apps import AppConfig


class DetectionConfig(AppConfig):
    """The room `detection`."""

    name = "detection"
