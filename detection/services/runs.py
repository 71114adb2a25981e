"""Making a run's row; sending its message is `detection.services.request`'s business."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from detection.models import DetectionRun, RunState
from imaging.models import Image

from .readings import read_along
from .which import active_version
from .worklist import refresh_items


def ensure_run(*, image: Image) -> tuple[DetectionRun | None, bool]:
    """The image's run by the active version, made if there is none, and its worklist row.

    A film that can't be shown is refused at once with the reason, and goes to a person. A version
    that reads along is asked in the same transaction, apart.

    Returns:
        The run (`None` while no version is active: beat makes it later) and whether it is new.
    """
    with transaction.atomic():
        version = active_version()
        if version is None:
            refresh_items(image_ids=[image.pk])
            return None, False
        now = timezone.now()
        fields: dict[str, Any] = {"queued_at": now, "sent_at": now}
        if image.display_problem:
            fields |= {
                "state": RunState.REFUSED,
                "reason_code": image.display_problem,
                "reason": image.display_message,
                "finished_at": now,
            }
        run, created = DetectionRun.objects.get_or_create(
            image=image, version=version, defaults=fields
        )
        if created:
            refresh_items(image_ids=[image.pk])
            read_along(image)
        return run, created
