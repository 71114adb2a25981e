"""The demo hospital on the first start; a folder that has it already stays as it is."""

from __future__ import annotations

import io
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from demo.films import FILMS, ISSUER, Film, attribution_text, attributions, film_bytes
from devices.models import Device
from imaging.models import Image
from imaging.models.image import Door
from imaging.services.ingest import ingest_dicom
from patients.models import Patient
from twinhealth.errors import NotFoundError

from .fleet import seed_fleet
from .inventory import seed_inventory
from .maintenance import seed_maintenance
from .notices import seed_notices
from .patients import seed_observations
from .planning import seed_planning
from .quality import seed_quality


def is_seeded() -> bool:
    """Whether the demo hospital is whole; an interrupted first start leaves it in parts."""
    return (
        Device.objects.filter(is_synthetic=True).exists()
        and not _missing_films()
        and not _people_without_values().exists()
    )


def seed_demo(*, now: datetime | None = None) -> int:
    """Machines, telemetry, maintenance, films through the door, synthetic observations.

    Every film goes the way of any other: ingest, queue, worker; nothing is written in its place.
    Called again after an interruption, it adds what is missing.

    Returns:
        Films stored.

    Raises:
        NotFoundError: `no_demo_users`; `create_demo_users` makes them.
    """
    now = now or timezone.now()
    people = {user.username: user for user in User.objects.filter(is_demo=True)}
    if not {"engineer", "admin"} <= people.keys():
        raise NotFoundError("no_demo_users", "Run create_demo_users first.")
    with transaction.atomic():
        if not Device.objects.filter(is_synthetic=True).exists():
            engineer = people["engineer"]
            devices = seed_fleet(engineer=engineer, now=now)
            seed_maintenance(devices=devices, admin=people["admin"], engineer=engineer, now=now)
            seed_quality(devices=devices, admin=people["admin"], engineer=engineer, now=now)
            seed_inventory(devices=devices, admin=people["admin"], engineer=engineer, now=now)
            seed_planning(devices=devices, admin=people["admin"], engineer=engineer, now=now)
            seed_notices(admin=people["admin"], engineer=engineer, now=now)
    missing = _missing_films()
    for film in missing:
        ingest_dicom(
            source=io.BytesIO(film_bytes(film, now=now)),
            filename=f"{film.patient_id}.dcm",
            door=Door.COMMAND,
            actor=None,
            demo=True,
            attribution=attribution_text(film),
        )
    ill = {f.patient_id for f in FILMS if attributions()[f.file_name]["image_class"] != "normal"}
    for patient in _people_without_values():
        with transaction.atomic():
            seed_observations(patient=patient, ill=patient.identifier in ill, now=now, actor=None)
    return len(missing)


def _missing_films() -> list[Film]:
    """The demo's films that nobody stored yet, in the order they were taken."""
    stored = set(
        Image.objects.filter(is_demo=True).values_list(
            "series__study__patient__identifier", flat=True
        )
    )
    oldest_first = sorted(FILMS, key=lambda film: -film.minutes_ago)
    return [film for film in oldest_first if film.patient_id not in stored]


def _people_without_values() -> QuerySet[Patient]:
    return Patient.objects.filter(
        issuer=ISSUER, is_synthetic=True, observations__isnull=True
    ).order_by("pk")
