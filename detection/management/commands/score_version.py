"""`manage.py score_version`: a version reads the newest signed films, apart from the clinicians."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from tqdm import tqdm

from detection.models import DetectorVersion
from detection.services import readings
from detection.services.apart import read_apart, waiting
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Reads here and now; may be stopped at any time and continues where it stopped."""

    help = "Let a version read the last signed films, to compare it with what was signed."

    def add_arguments(self, parser: CommandParser) -> None:
        """NAME, --last, --wait."""
        parser.add_argument("name", help="name of the version")
        parser.add_argument("--last", type=int, default=200, help="how many films (default: 200)")
        parser.add_argument(
            "--wait", action="store_true", help="leave the reading to the worker of queue `shadow`"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Add the films to those that wait, then read them."""
        version = DetectorVersion.objects.filter(name=options["name"]).first()
        if version is None:
            raise CommandError(f"no_such_version: No version is called {options['name']}.")
        try:
            added = readings.score_signed_films(
                version_id=version.pk, last=options["last"], user=None
            )
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}") from error
        self.stdout.write(f"{added} films added, {waiting(version).count()} wait")
        if options["wait"]:
            return
        total = waiting(version).count()
        with tqdm(
            total=total, unit="film", file=self.stderr, disable=not self.stderr.isatty()
        ) as bar:
            read = read_apart(
                seconds=float("inf"), version=version, give_way=False, on_read=bar.update
            )
        if read < total:
            raise CommandError(f"{total - read} films wait still; the log says why")
        self.stdout.write(f"{read} films read by {version.name}")
