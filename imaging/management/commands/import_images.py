"""`manage.py import_images PATH…`: files, folders, zips."""

from __future__ import annotations

import argparse
import json
import os
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand
from tqdm import tqdm

from imaging.models.image import Door
from imaging.services.doors import kind_of, receive_file
from imaging.services.dose_reports import DoseResult
from imaging.services.zips import Received, receive_zip
from imaging.sniff import Kind
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Import films; exit 1 if any was refused."""

    help = "Import X-ray films from files, folders and zips."

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """PATH…, and what a PNG or JPEG doesn't say."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH")
        parser.add_argument("--json", action="store_true", help="one JSON object per file")
        parser.add_argument("--patient-id", default="", help="of PNG and JPEG files")
        parser.add_argument("--device", default="", help="machine's serial, of PNG and JPEG files")
        parser.add_argument("--acquired-at", default="", help="ISO 8601, of PNG and JPEG files")
        parser.add_argument("--view", default="", help="PA, AP, …, of PNG and JPEG files")

    def handle(self, *args: Any, **options: Any) -> None:
        """Import all, then say how many."""
        fields = {
            "patient_id": options["patient_id"],
            "device": options["device"],
            "acquired_at": options["acquired_at"],
            "view": options["view"],
            "batch": str(uuid.uuid4()),
        }
        files = [file for path in options["paths"] for file in _files(path)]
        refused = total = 0
        bar = tqdm(files, unit="file", file=sys.stderr, disable=not sys.stderr.isatty())
        for file in bar:
            for item in _import(file, fields):
                total += 1
                refused += item.error is not None
                line = json.dumps(_as_json(item)) if options["json"] else _as_text(item)
                with bar.external_write_mode(self.stdout):
                    self.stdout.write(line)
        if not options["json"]:
            self.stdout.write(f"{total - refused} of {total} files are in the archive.")
        if refused or not total:
            sys.exit(1)


def _files(path: Path) -> Iterator[Path]:
    """The file itself, or all below a folder, sorted; hidden ones and DICOMDIR passed over."""
    if not path.is_dir():
        yield path
        return
    for folder, below, names in os.walk(path):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name.upper() != "DICOMDIR":
                yield Path(folder) / name


def _import(path: Path, fields: dict[str, str]) -> Iterator[Received]:
    common: dict[str, Any] = {"fields": fields, "door": Door.COMMAND, "actor": None}
    name = str(path)
    try:
        if path.is_file() and path.stat().st_size and kind_of(path) is Kind.ZIP:
            yield from receive_zip(source=path, filename=name, **common)
            return
        result = receive_file(source=path, filename=name, **common)
    except DomainError as error:
        yield Received(name, None, error)
        return
    yield Received(name, result, None)


def _as_json(item: Received) -> dict[str, Any]:
    if item.error is not None:
        error = {"code": item.error.code, "message": item.error.message}
        return {"file": item.filename, "error": error}
    result = item.result
    assert result is not None  # noqa: S101 - one of the two is there
    if isinstance(result, DoseResult):
        return {
            "file": item.filename,
            "dose_report": result.report.pk,
            "sop_instance_uid": result.report.sop_instance_uid,
            "sha256": result.report.sha256,
            "events": result.report.events,
            "duplicate": result.duplicate,
        }
    return {
        "file": item.filename,
        "id": result.image.pk,
        "sop_instance_uid": result.image.sop_instance_uid,
        "sha256": result.image.sha256,
        "duplicate": result.duplicate,
        "display_problem": result.image.display_problem,
    }


def _as_text(item: Received) -> str:
    if item.error is not None:
        return f"refused    {item.filename}: {item.error.code}: {item.error.message}"
    word = "duplicate " if item.result and item.result.duplicate else "stored    "
    return f"{word} {item.filename}"
