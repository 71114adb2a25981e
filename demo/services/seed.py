"""The demo hospital on the first start; a folder that has it already stays as it is."""

from __future__ import annotations

import io
from datetime import datetime

from django.utils import timezone

from accounts.models import User
from demo.films import FILMS, Film, attribution_text, attributions, film_bytes
from devices.models import Device
from imaging.models import Image
from imaging.models.image import Door
from imaging.services.ingest import ingest_dicom
from twinhealth.errors import NotFoundError

from .fleet import seed_fleet
from .maintenance import seed_maintenance
from .patients import seed_observations


def is_seeded() -> bool:
    """Whether the demo's machines are there."""
    return Device.objects.filter(is_synthetic=True).exists()


def seed_demo(*, now: datetime | None = None) -> int:
    """Machines, telemetry, maintenance, films through the door, synthetic observations.

    Every film goes the way of any other: ingest, queue, worker; nothing is written in its place.

    Returns:
        Films stored.

    Raises:
        NotFoundError: `no_demo_users`; `create_demo_users` makes them.
    """
    now = now or timezone.now()
    people = {user.username: user for user in User.objects.filter(is_demo=True)}
    if not {"engineer", "admin"} <= people.keys():
        raise NotFoundError("no_demo_users", "Run create_demo_users first.")
    devices = seed_fleet(engineer=people["engineer"], now=now)
    seed_maintenance(devices=devices, admin=people["admin"], engineer=people["engineer"], now=now)
    oldest_first = sorted(FILMS, key=lambda film: -film.minutes_ago)
    return sum(_seed_film(film, now) for film in oldest_first)


def _seed_film(film: Film, now: datetime) -> int:
    result = ingest_dicom(
        source=io.BytesIO(film_bytes(film, now=now)),
        filename=f"{film.patient_id}.dcm",
        door=Door.COMMAND,
        actor=None,
        demo=True,
        attribution=attribution_text(film),
    )
    image: Image = result.image
    seed_observations(
        patient=image.series.study.patient,
        ill=attributions()[film.file_name]["image_class"] != "normal",
        now=now,
        actor=None,
    )
    return 0 if result.duplicate else 1
