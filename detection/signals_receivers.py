"""What this room does when something happens below it."""

from __future__ import annotations

from typing import Any

from detection.services.request import request_run
from detection.services.reread_work import ensure_list
from detection.tasks import work_lists_task
from devices.models import DegradedSpan
from devices.signals import degraded_changed
from imaging.models import Image
from imaging.signals import image_stored


def connect() -> None:
    """Listen; called once, when the room is ready."""
    image_stored.connect(read_new_image, dispatch_uid="detection.read_new_image")
    degraded_changed.connect(list_films, dispatch_uid="detection.list_films")


def read_new_image(*, image: Image, **_: Any) -> None:
    """Have a stored film read, in the transaction that stores it."""
    request_run(image=image)


def list_films(*, span: DegradedSpan, **_: Any) -> None:
    """Have the machine's films looked at by a worker, once the mark is committed."""
    ensure_list(span=span)
    work_lists_task.delay_on_commit()  # type: ignore[attr-defined]
