"""Registers the room with Django."""

from __future__ import annotations

from django.apps import AppConfig


class ImagingConfig(AppConfig):
    """The room `imaging`."""

    name = "imaging"
