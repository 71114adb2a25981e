"""`manage.py export_dataset`: signed films as a versioned COCO set."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentTypeError
from datetime import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime
from tqdm import tqdm

from accounts.models import User
from detection.services.dataset_folder import refuse_taken
from detection.services.datasets import Exported, export_dataset
from detection.truth import LEFT_OUT
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Writes pictures, annotations and hashes; the folder is there whole or not at all."""

    help = "Export signed films with what readers said of them as a COCO set for training."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where, which, how."""
        parser.add_argument("--out", type=Path, default=None, metavar="DIR", help="new or empty")
        parser.add_argument("--name", default="corrections", help="of the set")
        parser.add_argument(
            "--since",
            type=_moment,
            default=None,
            metavar="TIME",
            help="only films signed since this day or time (ISO 8601, in the hospital's zone)",
        )
        parser.add_argument(
            "--longest-side",
            type=int,
            default=None,
            metavar="PIXELS",
            help="shrink the pictures (default: as stored)",
        )
        parser.add_argument("--user", default=None, help="who exports, for the audit trail")
        parser.add_argument("--dry-run", action="store_true", help="count, write nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, then say what became of it."""
        out: Path | None = options["out"] and options["out"].absolute()
        if out is None and not options["dry_run"]:
            raise CommandError("--out DIR is needed, or --dry-run.", returncode=2)
        try:
            if out is not None:
                refuse_taken(out)
            with tqdm(unit="film", file=sys.stderr, disable=not sys.stderr.isatty()) as bar:

                def progress(done: int, total: int) -> None:
                    bar.total = total
                    bar.update(done - bar.n)

                result = export_dataset(
                    out=None if options["dry_run"] else out,
                    name=options["name"],
                    since=options["since"],
                    longest_side=options["longest_side"],
                    user=_user(options["user"]),
                    progress=progress,
                )
        except DomainError as error:
            left_out = error.extra.get("left_out", {})
            lines = [f"{error.code}: {error.message}", *_reasons(left_out)]
            raise CommandError("\n".join(lines), returncode=1) from error
        report = _report(result, dry_run=options["dry_run"], out=out)
        self.stdout.write(json.dumps(report) if options["json"] else _text(report))


def _report(result: Exported, *, dry_run: bool, out: Path | None) -> dict[str, Any]:
    version = result.version
    return {
        "dry_run": dry_run,
        "out": str(out) if out and not dry_run else None,
        "version": {
            "id": version.pk,
            "name": version.name,
            "number": version.number,
            "sha256": version.sha256,
            "new": result.created,
        }
        if version
        else None,
        "counts": dict(result.counts),
        "left_out": dict(result.left_out),
        "diff": dict(result.diff),
    }


def _text(report: dict[str, Any]) -> str:
    lines = []
    version = report["version"]
    if version:
        word = "new version" if version["new"] else "unchanged, still version"
        lines.append(f"{version['name']}: {word} {version['number']} in {report['out']}")
        lines.append(f"sha256 of dataset.json: {version['sha256']}")
    else:
        lines.append("Dry run: nothing was written.")
    for split, row in report["counts"].items():
        boxes = ", ".join(f"{label} {number}" for label, number in row["boxes"].items())
        lines.append(
            f"  {split:<5} {row['films']:>6} films of {row['patients']} patients; boxes: {boxes}"
        )
    lines.append("  " + ", ".join(f"{n} {word}" for word, n in sorted(report["diff"].items())))
    return "\n".join(lines + _reasons(report["left_out"]))


def _reasons(left_out: dict[str, int]) -> list[str]:
    return [f"  left out {n:>6}: {LEFT_OUT[reason]}" for reason, n in sorted(left_out.items())]


def _user(name: str | None) -> User | None:
    if name is None:
        return None
    user = User.objects.filter(username__iexact=name, is_active=True).first()
    if user is None:
        raise CommandError(f"no_such_user: nobody here is called {name}.", returncode=1)
    return user


def _moment(text: str) -> datetime:
    try:
        day = parse_date(text)
        found = datetime.combine(day, datetime.min.time()) if day else parse_datetime(text)
    except ValueError:
        found = None
    if found is None:
        raise ArgumentTypeError("must be a day or a time in ISO 8601")
    return found if timezone.is_aware(found) else timezone.make_aware(found)
