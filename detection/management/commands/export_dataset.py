"""`manage.py export_dataset`: signed films with their readers' boxes, as a COCO set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection.services.dataset import Exported, export_dataset
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Exports what readers corrected, split by patient; docs/datasets.md says what counts."""

    help = "Export the signed films as a pseudonymised COCO set, split by patient."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where it goes, what it's called."""
        parser.add_argument(
            "--out", type=Path, required=True, metavar="DIR", help="a new or empty folder"
        )
        parser.add_argument("--name", default="site", help="of the set (default: site)")
        parser.add_argument("--dry-run", action="store_true", help="count only, write nothing")
        parser.add_argument("--json", action="store_true", help="one JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        """Export, then say what is in it and what was left out."""
        try:
            exported = export_dataset(
                folder=options["out"], name=options["name"], dry_run=options["dry_run"]
            )
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}") from error
        said = _as_dict(exported)
        self.stdout.write(json.dumps(said) if options["json"] else _as_text(said))


def _as_dict(exported: Exported) -> dict[str, Any]:
    version = exported.version
    said: dict[str, Any] = {"counts": exported.counts, "version": None}
    if version is not None:
        said["version"] = {
            "id": version.pk,
            "name": version.name,
            "number": version.number,
            "sha256": version.sha256,
            "created": exported.created,
            "films_new": version.films_new,
            "films_changed": version.films_changed,
            "films_gone": version.films_gone,
        }
    return said


def _as_text(said: dict[str, Any]) -> str:
    version, counts = said["version"], said["counts"]
    lines = []
    if version is None:
        lines.append("dry run: nothing was written")
    else:
        news = (
            f"{version['films_new']} new, {version['films_changed']} changed, "
            f"{version['films_gone']} gone"
            if version["created"]
            else "the same content as before"
        )
        lines.append(f"{version['name']} {version['number']} {version['sha256'][:12]}: {news}")
    lines.append(
        f"{counts['films']} films of {counts['patients']} patients, {counts['boxes']} boxes, "
        f"{counts['films_without_box']} films without one"
    )
    for key, value in counts.items():
        if isinstance(value, dict) and value:
            inner = ", ".join(f"{name} {count}" for name, count in value.items())
            lines.append(f"{key.replace('_', ' ')}: {inner}")
    return "\n".join(lines)
