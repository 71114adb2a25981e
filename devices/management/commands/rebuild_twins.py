"""Folds every machine's events again and compares with the stored state."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from devices.models import Device
from devices.services.events import rebuild


class Command(BaseCommand):
    """`rebuild_twins [--check]`: exit 1 where a check finds a difference."""

    help = "Fold every machine's events again; repair the stored state, or only --check it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Only one choice: look or repair."""
        parser.add_argument(
            "--check", action="store_true", help="change nothing; exit 1 on a difference"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Go through all machines, retired ones too."""
        only_look: bool = options["check"]
        wrong = 0
        devices = Device.objects.order_by("pk")
        for device in devices:
            if not rebuild(device=device, repair=not only_look):
                wrong += 1
                word = "differs" if only_look else "repaired"
                self.stdout.write(f"{device.serial}: {word}")
        self.stdout.write(
            f"{len(devices)} machines, {wrong} {'wrong' if only_look else 'repaired'}"
        )
        if wrong and only_look:
            raise CommandError(f"{wrong} stored states differ from their events", returncode=1)
