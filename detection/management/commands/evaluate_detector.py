"""`manage.py evaluate_detector`: figures of a detector on an annotated set."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection import manifest
from detection.detectors.loader import load_detector
from detection.evaluation.wording import scaling, with_span
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Everything docs/evaluation.md speaks of, as one JSON report; its head is printed."""

    help = "Measure the detector on a COCO set with the categories covid, pneumonia, normal."
    requires_system_checks = ()  # no database, no queue

    def add_arguments(self, parser: CommandParser) -> None:
        """The set, the report, and what calibration and controls are fitted on."""
        parser.add_argument("--annotations", type=Path, required=True, metavar="COCO.json")
        parser.add_argument("--images", type=Path, required=True, metavar="DIR")
        parser.add_argument("--out", type=Path, required=True, metavar="REPORT.json")
        parser.add_argument(
            "--weights", type=Path, default=None, help="default: setting DETECTOR_WEIGHTS"
        )
        parser.add_argument("--html", type=Path, metavar="PAGE.html", help="the report as a page")
        parser.add_argument(
            "--card",
            type=Path,
            metavar="CARD.md",
            help="write the figures between <!-- figures: NAME --> and <!-- end of figures -->",
        )
        parser.add_argument(
            "--card-block", default="", metavar="NAME", help="default: name of the annotations"
        )
        calibrated = parser.add_mutually_exclusive_group()
        calibrated.add_argument(
            "--calibrate-on",
            type=Path,
            metavar="REPORT.json",
            help="report of another set by the same weights; default: the manifest's scaling",
        )
        calibrated.add_argument(
            "--cross-validate",
            action="store_true",
            help="judge calibration by patient within the set, as where the manifest has no "
            "scaling: for the films that it was fitted on",
        )
        parser.add_argument(
            "--train-annotations",
            type=Path,
            metavar="COCO.json",
            help="films the controls are fitted on; default: the set itself, by patient",
        )
        parser.add_argument("--train-images", type=Path, metavar="DIR", help="default: as --images")
        parser.add_argument(
            "--controls", action="store_true", help="also read all films with their lungs blanked"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Evaluate, write the report, print its head."""
        # pycocotools belongs to evaluation alone
        from detection.detectors.coco import read_coco  # noqa: PLC0415
        from detection.evaluation import card, misses, page  # noqa: PLC0415
        from detection.evaluation import report as reports  # noqa: PLC0415

        weights = options["weights"] or Path(settings.DETECTOR_WEIGHTS)
        train_on = options["train_annotations"]
        name = options["annotations"].stem
        block = options["card_block"] or name
        try:
            if options["card"]:
                card.check(options["card"], block)
            beside = manifest.beside(weights)
            annotated = read_coco(options["annotations"], options["images"])
            train = (
                read_coco(train_on, options["train_images"] or options["images"])
                if train_on
                else None
            )
            detector = load_detector(
                weights=weights, expected_sha256=beside.sha256 if beside else None
            )
            calibrate_on: Any = beside.scaling if beside else None
            if options["cross_validate"]:
                calibrate_on = None
            elif options["calibrate_on"]:
                calibrate_on = reports.read_evidence(
                    options["calibrate_on"], sha256=detector.version_info.sha256
                )
            report = reports.full_report(
                detector,
                annotated,
                progress=self._progress,
                calibrate_on=calibrate_on,
                training=(
                    reports.training_films(train, progress=self._progress) if train else None
                ),
                blank_lungs=options["controls"],
            )
            reports.write_report(options["out"], report)
            if options["html"]:
                pictures = misses.pictures(detector, annotated, report)
                html = page.render(report, data=name, pictures=pictures)
                options["html"].parent.mkdir(parents=True, exist_ok=True)
                options["html"].write_text(html, encoding="utf-8")
            if options["card"]:
                card.write(options["card"], block, report)
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=1) from error
        except OSError as error:
            raise CommandError(
                f"report_unwritable: {error.filename} can't be written: {error.strerror}.",
                returncode=1,
            ) from error
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
    count = report["counts"]
    lines.append(
        f"headline, with 95 % intervals ({count['patients']} patients, {count['images']} images, "
        f"{count['boxes']} boxes):"
    )
    lines += [f"  {name:36} {with_span(row)}" for name, row in report["headline"].items()]
    after = report["calibration"]["after"]
    if after:
        lines.append(
            f"  {'ece, scaled':36} {with_span(after['ece'])}, {scaling(report['calibration'])}"
        )
    lines.append("without looking at the lungs:")
    for name, control in report["controls"].items():
        lines += [
            f"  {name.replace('_', ' ')}: {figure} {with_span(row)}"
            for figure, row in (control or {}).items()
            if isinstance(row, dict)
        ]
    return "\n".join(lines)
