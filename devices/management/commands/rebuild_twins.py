"""Folds every machine's events and readings again and compares with what is stored."""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from devices.models import Device
from devices.services import rule_states
from devices.services.events import rebuild
from devices.services.rollups import rebuild_rollups


class Command(BaseCommand):
    """`rebuild_twins [--check]`: exit 1 where a check finds a difference."""

    help = (
        "Fold every machine's events again, and add up its readings; repair the stored state, "
        "snapshots, newest readings and rollups, or only --check them."
    )

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
            twin = rebuild(device=device, repair=not only_look)
            readings = rebuild_rollups(device=device, repair=not only_look)
            if not (readings or only_look):
                rule_states.forget(device=device)
            if not (twin and readings):
                wrong += 1
                word = "differs" if only_look else "repaired"
                of = [
                    name for name, right in (("events", twin), ("readings", readings)) if not right
                ]
                self.stdout.write(f"{device.serial}: {word} ({' and '.join(of)})")
        self.stdout.write(
            f"{len(devices)} machines, {wrong} {'wrong' if only_look else 'repaired'}"
        )
        if wrong and only_look:
            raise CommandError(f"{wrong} machines' stored states differ", returncode=1)
