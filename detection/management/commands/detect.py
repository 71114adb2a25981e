"""`manage.py detect`: the reader on files, without a database."""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection import gate, manifest
from detection.detectors.loader import load_detector
from detection.detectors.prediction import Box, Detector
from imaging.pixels import read_with_header
from twinhealth.errors import DomainError, InvalidInputError, NotFoundError, UnavailableError


class Command(BaseCommand):
    """Reads X-ray files and prints what the detector sees; exit status 1 if a file failed."""

    help = "Read X-ray files (DICOM, PNG, JPEG) with the detector. Nothing is stored."
    requires_system_checks = ()  # no database, no queue

    def add_arguments(self, parser: CommandParser) -> None:
        """PATH…, --json, --min-score, --weights, --no-gate."""
        parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="file or folder")
        parser.add_argument("--json", action="store_true", help="one JSON object per file")
        parser.add_argument(
            "--min-score",
            type=_share,
            default=None,
            metavar="S",
            help="show boxes from this score on (default: the version's threshold per class)",
        )
        parser.add_argument(
            "--weights", type=Path, default=None, help="default: setting DETECTOR_WEIGHTS"
        )
        parser.add_argument(
            "--no-gate",
            action="store_false",
            dest="gate",
            default=settings.IMAGE_GATE,
            help="read also what doesn't look like an upright frontal chest film",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Read each file in turn."""
        weights = options["weights"] or Path(settings.DETECTOR_WEIGHTS)
        try:
            detector = load_detector(
                weights=weights, expected_sha256=manifest.expected_sha256(weights)
            )
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=1) from error
        failed = total = 0
        for path in _files(options["paths"]):
            total += 1
            row = read_one(detector, path, min_score=options["min_score"], gated=options["gate"])
            failed += "error" in row
            self.stdout.write(json.dumps(row) if options["json"] else _as_text(row))
            self.stdout.flush()
        if not total:
            raise CommandError("no_files: the given folders hold no file.", returncode=1)
        if failed:
            raise CommandError(f"{failed} of {total} files failed.", returncode=1)


def read_one(
    detector: Detector, path: Path, *, min_score: float | None, gated: bool
) -> dict[str, Any]:
    """One file as the object that `--json` prints; a failure or refusal is part of the object."""
    try:
        if not path.exists():
            raise NotFoundError("no_such_file", "There is no such file.")
        header, frame = read_with_header(path)
        said = gate.Said(header.view_position, header.body_part)
        refusal = gate.decide(frame, said) if gated else None
        if refusal is not None:
            raise InvalidInputError(refusal.code, refusal.reason)
        prediction = detector.predict(frame, min_score=min_score)
    except DomainError as error:
        return {"file": str(path), "error": {"code": error.code, "message": error.message}}
    except OSError as error:
        refused = UnavailableError("unreadable_file", f"The file can't be read: {error.strerror}.")
        return {"file": str(path), "error": {"code": refused.code, "message": refused.message}}
    height, width = frame.pixels.shape
    return {
        "file": str(path),
        "width": width,
        "height": height,
        "findings": [
            {
                "label": box.label,
                "score": round(box.score, 4),
                "box": _rounded(box),
            }
            for box in prediction.boxes
        ],
        "seconds": round(prediction.seconds, 4),
        "version": detector.version_info.name,
    }


def _rounded(box: Box) -> list[float]:
    """Hundredths of a pixel; the edges are rounded, so that the box stays inside the image."""
    left, top = round(box.x, 2), round(box.y, 2)
    right, bottom = round(box.x + box.w, 2), round(box.y + box.h, 2)
    return [left, top, round(right - left, 2), round(bottom - top, 2)]


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ArgumentTypeError("must be a number from 0 to 1")
    return value


def _files(paths: list[Path]) -> Iterator[Path]:
    """The files themselves; of a folder all files below it, by name, without hidden ones."""
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for inside in sorted(path.rglob("*")):
            hidden = any(part.startswith(".") for part in inside.relative_to(path).parts)
            if inside.is_file() and not hidden:
                yield inside


def _as_text(row: dict[str, Any]) -> str:
    if "error" in row:
        return f"{row['file']}\n  failed: {row['error']['message']} ({row['error']['code']})"
    lines = [f"{row['file']}  {row['width']} x {row['height']}, {row['seconds']:.2f} s"]
    lines += [
        "  {label:<10} {score:5.2f}   x {0:7.1f}  y {1:7.1f}  w {2:7.1f}  h {3:7.1f}".format(
            *finding["box"], label=finding["label"], score=finding["score"]
        )
        for finding in row["findings"]
    ]
    return "\n".join(lines if row["findings"] else [*lines, "  nothing found"])
