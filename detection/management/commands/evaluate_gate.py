"""`manage.py evaluate_gate`: what the image gate holds back, rightly and wrongly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from twinhealth.errors import DomainError


class Command(BaseCommand):
    """False refusals on readable films; catches, per kind, of cases made of them."""

    help = "Measure the image gate on readable frontal films and on faults made of them."
    requires_system_checks = ()  # no database, no queue

    def add_arguments(self, parser: CommandParser) -> None:
        """--annotations, --images, --folder, --out, --gate."""
        parser.add_argument(
            "--annotations", type=Path, nargs="+", required=True, metavar="COCO.json"
        )
        parser.add_argument("--images", type=Path, required=True, metavar="DIR")
        parser.add_argument(
            "--folder",
            type=Path,
            default=None,
            metavar="DIR",
            help="more readable films, without annotations: only false refusals are counted",
        )
        parser.add_argument("--out", type=Path, default=None, metavar="REPORT.json")
        parser.add_argument("--gate", type=Path, default=None, help="default: the shipped one")

    def handle(self, *args: Any, **options: Any) -> None:
        """Measure, print the table, write the report."""
        # COCO and the made cases belong to this command's run, not to the import of the commands
        from detection.detectors.coco import read_coco  # noqa: PLC0415
        from detection.gate import evaluation, network  # noqa: PLC0415

        try:
            classifier = network.load(options["gate"] or network.SHIPPED)
        except (OSError, ValueError) as error:
            raise CommandError(f"gate_unusable: {error}", returncode=1) from error
        report: dict[str, Any] = {"threshold": classifier.threshold, "sets": {}}
        try:
            for path in options["annotations"]:
                films = read_coco(path, options["images"]).films
                report["sets"][path.stem] = evaluation.evaluate(
                    films, classifier=classifier, progress=self._progress
                )
            report["foreign"] = evaluation.foreign(classifier=classifier)
            report["seconds"] = evaluation.seconds(films, classifier=classifier)
            if options["folder"]:
                paths = sorted(p for p in options["folder"].iterdir() if p.is_file())
                report["folder"] = evaluation.plain_folder(
                    paths, classifier=classifier, progress=self._progress
                )
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=1) from error
        if options["out"]:
            options["out"].parent.mkdir(parents=True, exist_ok=True)
            options["out"].write_text(json.dumps(report, indent=2) + "\n")
        self.stdout.write("\n".join(_table(report)))

    def _progress(self, films: Any) -> Any:
        from tqdm import tqdm  # noqa: PLC0415

        return tqdm(films, unit="film", file=self.stderr, disable=not self.stderr.isatty())


def _table(report: dict[str, Any]) -> list[str]:
    lines = []
    for name, found in report["sets"].items():
        lines.append(f"{name}: false refusals {_refused(found['false_refusals'])}")
        lines += [
            f"  {source}: {_refused(row)}"
            for source, row in found["false_refusals"]["by_source"].items()
        ]
        lines += [f"  {kind}: {_caught(row)}" for kind, row in found["made"].items()]
    lines.append(f"CT, MR, ultrasound of pydicom: {_caught(report['foreign'])}")
    if "folder" in report:
        lines.append(f"folder: false refusals {_refused(report['folder']['false_refusals'])}")
    seconds = report["seconds"]
    lines.append(
        f"a decision: {seconds['median'] * 1000:.1f} ms, 95 % below {seconds['p95'] * 1000:.1f} ms"
    )
    return lines


def _refused(row: dict[str, Any]) -> str:
    return f"{row['count']} of {row['films']} ({row['share']:.2%}) {row['by_code'] or ''}".rstrip()


def _caught(row: dict[str, Any]) -> str:
    return (
        f"{row['caught']} of {row['cases']} caught ({row['share']:.1%}), "
        f"{row['named']:.1%} by the right name"
    )
