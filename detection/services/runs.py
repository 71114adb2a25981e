"""Making a run's row; sending its message is `detection.services.request`'s business."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone

from detection.models import DetectionRun, DetectorVersion, RunState, VersionState
from imaging.models import Image

from .worklist import refresh_items


def active_version() -> DetectorVersion | None:
    """The version that reads; `None` before one is registered."""
    return DetectorVersion.objects.filter(state=VersionState.ACTIVE).first()


def ensure_run(*, image: Image) -> tuple[DetectionRun | None, bool]:
    """The image's run by the active version, made if there is none, and its worklist row.

    A film that can't be shown is refused at once with the reason, and goes to a person.

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
        return run, created
