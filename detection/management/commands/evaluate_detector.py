"""`manage.py evaluate_detector`: figures of a detector on an annotated set."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection import manifest
from detection.detectors.loader import load_detector
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Average precision after COCO, per class, per source, on boxes drawn by people; as JSON."""

    help = "Measure the detector on a COCO set with the categories covid, pneumonia, normal."
    requires_system_checks = ()  # no database, no queue

    def add_arguments(self, parser: CommandParser) -> None:
        """--annotations, --images, --out, --weights."""
        parser.add_argument("--annotations", type=Path, required=True, metavar="COCO.json")
        parser.add_argument("--images", type=Path, required=True, metavar="DIR")
        parser.add_argument("--out", type=Path, required=True, metavar="REPORT.json")
        parser.add_argument(
            "--weights", type=Path, default=None, help="default: setting DETECTOR_WEIGHTS"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Evaluate, write the report, print its head."""
        # pycocotools belongs to evaluation alone
        from detection.detectors.coco import read_coco  # noqa: PLC0415
        from detection.evaluation.reading import evaluate  # noqa: PLC0415

        weights = options["weights"] or Path(settings.DETECTOR_WEIGHTS)
        try:
            annotated = read_coco(options["annotations"], options["images"])
            detector = load_detector(
                weights=weights, expected_sha256=manifest.expected_sha256(weights)
            )
            report = evaluate(detector, annotated, progress=self._progress)
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=1) from error
        options["out"].parent.mkdir(parents=True, exist_ok=True)
        options["out"].write_text(json.dumps(report, indent=2) + "\n")
        self.stdout.write(_table(report))

    def _progress(self, films: Any) -> Any:
        from tqdm import tqdm  # noqa: PLC0415

        return tqdm(films, unit="film", file=self.stderr, disable=not self.stderr.isatty())


def _table(report: dict[str, Any]) -> str:
    lines = [f"{report['version']}, {report['data']['images']} films"]
    for name, group in report["ap"].items():
        mean = group["mean"]
        if mean is None:
            continue
        classes = ", ".join(
            f"{label} {row['ap50']:.3f}"
            for label, row in group.items()
            if isinstance(row, dict) and label != "mean"
        )
        lines.append(
            f"  {name}: AP50 {mean['ap50']:.3f} ({classes}), AP75 {mean['ap75']:.3f}, "
            f"AP {mean['ap']:.3f}"
        )
    return "\n".join(lines)
