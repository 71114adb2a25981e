"""`manage.py seed_demo`: the synthetic hospital with its real films, once."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from demo.services.seed import is_seeded, seed_demo
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Seeds the demo hospital; does nothing where it is there already."""

    help = "Seed the demo hospital (embedded mode only); does nothing the second time."

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it."""
        if not settings.EMBEDDED:
            raise CommandError("The demo hospital exists only in the embedded mode.")
        if is_seeded():
            self.stdout.write("The demo hospital is there already.")
            return
        try:
            films = seed_demo()
        except DomainError as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"Demo hospital: {films} films stored and queued for the detector.")
