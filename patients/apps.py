"""Registers the room with Django."""

from __future__ import annotations

from django.apps import AppConfig


class PatientsConfig(AppConfig):
    """The room `patients`."""

    name = "patients"
