"""A machine that is registered is looked up in the recalls at once."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_save

from devices.models import Device

from .services import recall_matching


def connect() -> None:
    """Hear of new machines; called once, when the room is ready."""
    post_save.connect(_arrived, sender=Device, dispatch_uid="inventory_arrivals")


def _arrived(sender: type[Device], instance: Device, created: bool, **_: Any) -> None:  # noqa: FBT001
    """In the transaction that registers it: with the machine stands what concerns it."""
    if created:
        recall_matching.match_device(instance)
