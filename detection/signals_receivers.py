"""What this room does when something happens below it."""

from __future__ import annotations

from typing import Any

from detection.services.request import request_run
from imaging.models import Image
from imaging.signals import image_stored


def connect() -> None:
    """Listen; called once, when the room is ready."""
    image_stored.connect(read_new_image, dispatch_uid="detection.read_new_image")


def read_new_image(*, image: Image, **_: Any) -> None:
    """Have a stored film read, in the transaction that stores it."""
    request_run(image=image)
