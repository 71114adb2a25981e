"""Makes the partitions of the coming months, as beat does every hour."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from devices.services import partitions


class Command(BaseCommand):
    """`make_partitions`: a second call makes nothing."""

    help = "Make the readings' partitions of this month, the coming ones, and of stray readings."

    def handle(self, *args: Any, **options: Any) -> None:
        """Make what is missing."""
        made = partitions.make(now=timezone.now())
        self.stdout.write(", ".join(f"{month:%Y-%m}" for month in made) or "nothing was missing")
