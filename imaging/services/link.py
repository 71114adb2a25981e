"""Images whose machine waited in the inbox get it, once somebody said which one it is."""

from __future__ import annotations

import structlog
from django.db import transaction
from django.db.models import Q

from devices.facts import ImageFacts
from devices.models import Device, DeviceAlias
from devices.services.from_image import note_image
from devices.services.identify import find
from imaging.models import Image

log = structlog.get_logger(__name__)

_BATCH = 500


def link_waiting_images() -> int:
    """Give images without a machine the one whose serial or confirmed alias they name.

    Oldest exposure first, each in its own transaction with the readings that it carries.

    Returns:
        How many were linked.
    """
    named = Q(device_serial__in=Device.objects.values("serial")) | Q(
        device_serial__in=DeviceAlias.objects.values("value")
    )
    waiting = Image.objects.filter(named, device=None).exclude(device_serial="")
    keys = list(waiting.order_by("acquired_at", "pk").values_list("pk", flat=True)[:_BATCH])
    linked = sum(_link(key) for key in keys)
    if linked:
        log.info("images_linked", count=linked)
    return linked


@transaction.atomic
def _link(image_id: int) -> bool:
    """False where another worker was first, or the machine's name was taken back."""
    image = (
        Image.objects.select_for_update(skip_locked=True, of=("self",))
        .filter(pk=image_id, device=None)
        .first()
    )
    device = find(image.device_serial) if image else None
    if image is None or device is None:
        return False
    image.device = device
    image.save(update_fields=["device"])
    readings = image.machine_facts.get("readings", {})
    note_image(
        device=device,
        facts=ImageFacts(
            acquired_at=image.acquired_at,
            readings={key: (float(value), str(unit)) for key, (value, unit) in readings.items()},
            config=image.machine_facts.get("config", {}),
        ),
        source_ref=f"image:{image.pk}",
    )
    return True
