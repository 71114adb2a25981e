"""`manage.py import_readings FILE`: a CSV file of readings, looked through or stored here."""

from __future__ import annotations

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from devices.csv_readings import DECIMALS, FIELDS, FORMS
from devices.csv_text import ENCODINGS
from devices.models.reading_import import ImportState
from devices.selectors import imports as selectors
from devices.services import reading_import_work, reading_imports
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """`import_readings FILE --by USER [--store]`; exit 1 if any row was refused."""

    help = "Look a CSV file of readings through; with --store, store its good rows."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What the file doesn't say itself."""
        parser.add_argument("file", type=Path)
        parser.add_argument("--by", required=True, help="user name, for the audit trail")
        parser.add_argument("--store", action="store_true", help="store; else a dry run")
        parser.add_argument("--device", default="", help="serial, where no column says it")
        parser.add_argument("--encoding", choices=list(ENCODINGS))
        parser.add_argument("--delimiter")
        parser.add_argument("--decimal", choices=list(DECIMALS))
        parser.add_argument("--form", choices=list(FORMS))
        parser.add_argument("--zone", help="of times without an offset")
        parser.add_argument(
            "--column", action="append", default=[], metavar="FIELD=HEADING",
            help=f"FIELD: {', '.join(FIELDS)}",
        )  # fmt: skip
        parser.add_argument("--json", action="store_true", help="one JSON object at the end")

    def handle(self, *args: Any, **options: Any) -> None:
        """Look through, then store if told to."""
        user = User.objects.filter(username=options["by"]).first()
        if user is None:
            raise CommandError(f"there is no user {options['by']!r}")
        names = ("device", "encoding", "delimiter", "decimal", "form", "zone")
        given: dict[str, Any] = {name: options[name] for name in names if options[name]}
        if options["column"]:
            given["columns"] = dict(pair.partition("=")[::2] for pair in options["column"])
        try:
            with options["file"].open("rb") as file:
                job = reading_imports.receive(
                    source=file, filename=options["file"].name, actor=user, options=given
                )
            reading_import_work.work(import_id=job.pk)
            job = selectors.get(job.pk)
            if options["store"] and job.state == ImportState.CHECKED:
                reading_imports.store(job=job, actor=user)
                reading_import_work.work(import_id=job.pk)
                job = selectors.get(job.pk)
        except OSError as error:
            raise CommandError(f"{options['file']}: {error.strerror}") from error
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}") from error
        counts = {
            "import": job.pk,
            "state": job.state,
            "accepted": job.accepted,
            "duplicates": job.duplicates,
            "refused": job.refused,
        }
        if options["json"]:
            self.stdout.write(json.dumps(counts))
        else:
            for row in selectors.refused(job)[:100]:
                self.stdout.write(f"line {row.line}: {row.code}: {row.message}")
            word = "stored" if job.state == ImportState.DONE else "would be stored"
            self.stdout.write(
                f"{job.accepted} {word}, {job.duplicates} there already, {job.refused} refused"
            )
        if job.refused or job.state == ImportState.FAILED:
            raise CommandError("some rows were refused", returncode=1)
