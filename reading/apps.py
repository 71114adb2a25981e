"""Registers the room with Django."""

from __future__ import annotations

from django.apps import AppConfig


class ReadingConfig(AppConfig):
    """The room `reading`."""

    name = "reading"
