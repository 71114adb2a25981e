"""`manage.py simulate_fleet`: synthetic X-ray machines with named faults and their truth table."""

from __future__ import annotations

import time
from argparse import RawDescriptionHelpFormatter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from demo.services import simulated
from demo.simulator import truth
from demo.simulator.faults import KINDS, Fault, parse, scatter
from demo.simulator.fleet import Fleet
from demo.simulator.quantities import STEP
from twinhealth.errors import DomainError

TELL_EVERY = 10  # machines


class Command(BaseCommand):
    """Registers a simulated fleet and sends its readings; the same seed sends the same again."""

    help = "Simulate a fleet of X-ray machines, labelled synthetic, with named faults."

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """With the list of faults in `--help`."""
        listed = "\n".join(f"  {kind.name:26}{kind.about}" for kind in KINDS.values())
        return super().create_parser(
            prog_name,
            subcommand,
            epilog=f"faults:\n{listed}\n\ndocs/simulator.md says more.",
            formatter_class=RawDescriptionHelpFormatter,
            **kwargs,
        )

    def add_arguments(self, parser: CommandParser) -> None:
        """See docs/simulator.md."""
        parser.add_argument("--devices", type=int, default=20)
        parser.add_argument("--days", type=int, default=24, help="whole days before today")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument(
            "--fault",
            action="append",
            default=[],
            metavar="NAME:DEVICE:DAY[:DAYS|:METRIC]",
            help="may be given more than once; machines count from 1, days from 0",
        )
        parser.add_argument("--faults", choices=["none", "random"], default="none")
        parser.add_argument("--truth", metavar="FILE", help="write the truth table (.csv, .json)")
        parser.add_argument("--dry-run", action="store_true", help="store nothing")
        parser.add_argument("--live", action="store_true", help="go on until interrupted")
        parser.add_argument(
            "--speed", type=float, default=1.0, help="with --live: play the last day this fast"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Run it."""
        if not 1 <= options["speed"] <= 10_000:
            raise CommandError("--speed must be 1 to 10,000.")
        if options["speed"] > 1 and not options["live"]:
            raise CommandError("--speed goes with --live.")
        try:
            fleet = self._fleet(options)
            self._truth(fleet, options["truth"])
            if options["dry_run"]:
                self._dry(fleet)
                return
            devices = simulated.ensure_fleet(fleet=fleet)
            self._run(fleet, devices, options)
        except DomainError as error:
            raise CommandError(error.message) from error
        except KeyboardInterrupt:
            self.stdout.write("Ended.")

    def _fleet(self, options: dict[str, Any]) -> Fleet:
        count, days, seed = options["devices"], options["days"], options["seed"]
        today = timezone.now().astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        bare = Fleet(count, days, seed, today, zone=settings.TIME_ZONE)  # refuses bad numbers
        faults: list[Fault] = []
        if options["faults"] == "random":
            faults = scatter(seed=seed, count=count, days=days)
        for text in options["fault"]:
            faults += parse(text, seed=seed, count=count, days=days)
        start = simulated.known_start(bare) or today - timedelta(days=days)
        # the part of today that is over belongs to it
        length = (today - start).days + 1
        return Fleet(count, length, seed, start, tuple(faults), settings.TIME_ZONE)

    def _truth(self, fleet: Fleet, path: str | None) -> None:
        if path is None:
            return
        try:
            text = truth.text(fleet.truth(), as_json=path.endswith(".json"))
            Path(path).write_text(text, encoding="utf-8")
        except OSError as error:
            raise CommandError(f"The truth table can't be written: {error}") from error
        self.stdout.write(f"Truth table: {path}, {len(fleet.faults)} rows")

    def _dry(self, fleet: Fleet) -> None:
        readings = sum(len(b.values(n)) for b in fleet.blocks() for n in b.numbers)
        self.stdout.write(
            f"{fleet.count} machines, {fleet.days} days from {fleet.start:%Y-%m-%d}, "
            f"{len(fleet.faults)} faults, {readings:,} readings; nothing was stored."
        )

    def _run(self, fleet: Fleet, devices: list[Any], options: dict[str, Any]) -> None:
        began, speed = timezone.now(), options["speed"]
        until = began - timedelta(days=1) if speed > 1 else began
        total = simulated.Sent()
        history = simulated.send_history(fleet=fleet, devices=devices, until=until)
        for number, (_, sent) in enumerate(history, start=1):
            total.add(sent)
            if number % TELL_EVERY == 0 or number == fleet.count:
                self._tell(f"{number} of {fleet.count} machines", total)
        if not options["live"]:
            return
        self.stdout.write("Going on; Ctrl-C ends it.")
        origin = time.monotonic()

        def clock() -> datetime:
            played = until + timedelta(seconds=(time.monotonic() - origin) * speed)
            return min(played, timezone.now())

        def wait() -> None:
            time.sleep(max(1.0, STEP / speed if clock() < timezone.now() else STEP))

        for now, sent in simulated.follow(
            fleet=fleet, devices=devices, after=until, clock=clock, wait=wait
        ):
            self._tell(f"{now:%Y-%m-%d %H:%M} UTC", sent)

    def _tell(self, what: str, sent: simulated.Sent) -> None:
        refused = f", {sent.refused:,} refused" if sent.refused else ""
        self.stdout.write(
            f"{what}: {sent.accepted:,} readings stored, {sent.duplicates:,} there before{refused}"
        )
