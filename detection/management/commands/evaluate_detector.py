"""`manage.py evaluate_detector`: figures of a detector on an annotated set."""

from __future__ import annotations

import json
import math
from argparse import ArgumentTypeError
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection import manifest
from detection.detectors.loader import load_detector
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """The whole evidence in one run: boxes, whole films, calibration, intervals, controls."""

    help = "Measure the detector on a COCO set with the categories covid, pneumonia, normal."
    requires_system_checks = ()  # no database, no queue

    def add_arguments(self, parser: CommandParser) -> None:
        """What is measured on what, and where the report goes."""
        parser.add_argument("--annotations", type=Path, required=True, metavar="COCO.json")
        parser.add_argument("--images", type=Path, required=True, metavar="DIR")
        parser.add_argument("--out", type=Path, required=True, metavar="REPORT.json")
        parser.add_argument(
            "--weights", type=Path, default=None, help="default: setting DETECTOR_WEIGHTS"
        )
        parser.add_argument(
            "--html", type=Path, default=None, metavar="REPORT.html", help="the report as a page"
        )
        parser.add_argument(
            "--card",
            type=Path,
            default=None,
            metavar="CARD.md",
            help="write the figures between <!-- NAME --> and <!-- end --> of a model card",
        )
        parser.add_argument(
            "--card-block", default="", metavar="NAME", help="default: name of the annotations"
        )
        parser.add_argument(
            "--train-annotations",
            type=Path,
            default=None,
            metavar="COCO.json",
            help="films that the negative controls are fitted on (else the set itself, by patient)",
        )
        parser.add_argument(
            "--no-controls",
            action="store_true",
            help="leave the negative controls out; each film is then read once, not twice",
        )
        parser.add_argument(
            "--metrics-as",
            choices=("val", "test"),
            default="",
            help="put a summary, and a fitted temperature, into the manifest beside the weights",
        )
        temperature = parser.add_mutually_exclusive_group()
        temperature.add_argument(
            "--fit-temperature",
            action="store_true",
            help="fit the temperature on this set (a validation set only)",
        )
        temperature.add_argument(
            "--temperature",
            type=_temperature,
            default=None,
            help="of the version (default: what the manifest beside the weights says)",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Evaluate, write the report, print its head."""
        # pycocotools belongs to evaluation alone
        from detection.detectors.coco import read_coco  # noqa: PLC0415
        from detection.evaluation import reading  # noqa: PLC0415

        weights = options["weights"] or Path(settings.DETECTOR_WEIGHTS)
        train = options["train_annotations"]
        try:
            described = _manifest(weights, wanted=bool(options["metrics_as"]))
            stored = described.temperature if described else None
            annotated = read_coco(options["annotations"], options["images"], every_class=False)
            controls = None
            if not options["no_controls"]:
                learnt = train and read_coco(train, options["images"], every_class=False)
                controls = reading.Controls(learnt, progress=self._progress)
            detector = load_detector(
                weights=weights, expected_sha256=described.sha256 if described else None
            )
            measured = reading.measure(
                detector,
                annotated,
                progress=self._progress,
                temperature=options["temperature"] or stored,
                fit=options["fit_temperature"],
                controls_wanted=controls,
            )
            self._write(measured, annotated, detector.version_info.thresholds, options)
            if options["metrics_as"]:
                _keep(weights.with_suffix(".json"), options, measured.report)
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=1) from error
        except OSError as error:
            raise CommandError(
                f"report_unwritable: {error.filename} can't be written: {error.strerror}.",
                returncode=1,
            ) from error
        self.stdout.write(_table(measured.report))

    def _write(
        self, measured: Any, annotated: Any, thresholds: Mapping[str, float], options: Any
    ) -> None:
        from detection.evaluation import card, misses, page, reading  # noqa: PLC0415

        name = options["annotations"].stem
        _save(options["out"], json.dumps(measured.report, indent=2) + "\n")
        if options["html"]:
            films = {film.key: film for film in annotated.films}
            shown = [films[miss["film"]] for miss in measured.report["worst_misses"]]
            pictures = {
                film.key: misses.picture(reading.frame_of(film), film, measured.found, thresholds)
                for film in shown
            }
            _save(options["html"], page.render(measured.report, data=name, pictures=pictures))
        if options["card"]:
            card.write(options["card"], options["card_block"] or name, measured.report)

    def _progress(self, films: Any) -> Any:
        from tqdm import tqdm  # noqa: PLC0415

        return tqdm(films, unit="film", file=self.stderr, disable=not self.stderr.isatty())


def _manifest(weights: Path, *, wanted: bool) -> manifest.Manifest | None:
    beside = weights.with_suffix(".json")
    return manifest.read_manifest(beside) if wanted or beside.exists() else None


def _keep(beside: Path, options: Mapping[str, Any], report: Mapping[str, Any]) -> None:
    from detection.detectors import release  # noqa: PLC0415

    release.with_metrics(
        beside,
        temperature=report["calibration"]["temperature"] if options["fit_temperature"] else None,
        **{options["metrics_as"]: release.summary(report)},
    )


def _save(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _temperature(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < 100:
        raise ArgumentTypeError("must be a number above 0 and below 100")
    return value


def _table(report: dict[str, Any]) -> str:
    data = report["data"]
    lines = [f"{report['version']}, {data['images']} films of {data['patients']} patients"]
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
    for name, figure in report["headline"].items():
        if figure["low"] is not None:
            lines.append(
                f"  {name}: {figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
            )
    return "\n".join(lines)
