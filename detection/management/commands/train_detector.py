"""`manage.py train_detector`: from an annotated set to a weights file with its manifest."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection import manifest
from detection.detectors.coco import TIERS
from twinhealth.errors import DomainError, InvalidInputError


class Command(BaseCommand):
    """Trains with a recipe of detection/configs; a validation set also chooses the thresholds."""

    help = "Train the detector on a COCO set with the categories covid, pneumonia, normal."
    requires_system_checks = ()  # no database, no queue

    def add_arguments(self, parser: CommandParser) -> None:
        """Data, recipe, length, where it goes."""
        parser.add_argument("--annotations", type=Path, required=True, metavar="COCO.json")
        parser.add_argument("--images", type=Path, required=True, metavar="DIR")
        parser.add_argument(
            "--out",
            type=Path,
            required=True,
            metavar="DIR",
            help="NAME.pth, NAME.json, checkpoints",
        )
        parser.add_argument("--name", default="", help="of the version (default: the folder's)")
        parser.add_argument("--config", default="light", help="recipe of detection/configs")
        parser.add_argument(
            "--val-annotations",
            type=Path,
            default=None,
            metavar="COCO.json",
            help="choose the best epoch and the thresholds on these (else the last, and 0.5)",
        )
        parser.add_argument("--max-iters", type=_positive, default=None)
        parser.add_argument(
            "--pretrain-epochs", type=_positive, default=None, help="default: all of the recipe's"
        )
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
        parser.add_argument(
            "--start-from", type=Path, default=None, metavar="WEIGHTS.pth", help="else from scratch"
        )
        parser.add_argument(
            "--pretrain",
            type=Path,
            default=None,
            metavar="DIR",
            help="index.csv and images/ of single-class films: the backbone learns them first",
        )
        parser.add_argument(
            "--tier",
            choices=tuple(TIERS),
            default="",
            help="train and choose on films alone whose licence_tier allows that use",
        )
        parser.add_argument("--device", default="", help="cpu or cuda (default: DETECTOR_DEVICE)")
        parser.add_argument("--licence", default="", help="terms of use of the trained weights")

    def handle(self, *args: Any, **options: Any) -> None:
        """Train, write weights and manifest."""
        # torch belongs to this command's run, not to the import of the commands
        from detection.detectors import course, weights_file  # noqa: PLC0415

        start: Path | None = options["start_from"]
        try:
            if len(options["licence"]) > manifest.LICENCE_LENGTH:
                raise InvalidInputError(
                    "licence_too_long",
                    f"--licence may have {manifest.LICENCE_LENGTH} characters at most.",
                )
            written = course.run(
                course.Course(
                    annotations=options["annotations"],
                    images=options["images"],
                    validation=options["val_annotations"],
                    pretrain=options["pretrain"],
                    tier=options["tier"],
                    config=options["config"],
                    out=options["out"],
                    name=options["name"] or options["out"].resolve().name,
                    licence=options["licence"],
                    seed=options["seed"],
                    threads=settings.DETECTOR_THREADS,
                    operators=settings.DETECTOR_OPS,
                    device=options["device"] or settings.DETECTOR_DEVICE,
                    max_iterations=options["max_iters"],
                    pretrain_epochs=options["pretrain_epochs"],
                    start_from=weights_file.read(start, manifest.expected_sha256(start))
                    if start
                    else None,
                    resume=options["resume"],
                )
            )
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=1) from error
        self.stdout.write(
            f"{options['out'] / written.file}  sha256 {written.sha256[:12]}  "
            f"thresholds {dict(written.thresholds)}"
        )


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise ArgumentTypeError("must be a whole number above 0")
    return int(text)
