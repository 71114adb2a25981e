"""`manage.py train_detector`: from an annotated set to a weights file with its manifest."""

from __future__ import annotations

from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection import manifest
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
            help="measure on these at the end, and choose the thresholds (else 0.5)",
        )
        parser.add_argument("--max-iters", type=_positive, default=None)
        parser.add_argument("--seed", type=int, default=0)
        parser.add_argument("--resume", action="store_true", help="go on from the last checkpoint")
        parser.add_argument(
            "--start-from", type=Path, default=None, metavar="WEIGHTS.pth", help="else from scratch"
        )
        parser.add_argument("--licence", default="", help="terms of use of the trained weights")

    def handle(self, *args: Any, **options: Any) -> None:
        """Train, write weights and manifest."""
        # torch belongs to this command's run, not to the import of the commands
        from detection.detectors import recipe, weights_file  # noqa: PLC0415
        from detection.detectors.coco import read_coco  # noqa: PLC0415
        from detection.detectors.training import Job  # noqa: PLC0415

        start: Path | None = options["start_from"]
        try:
            if len(options["licence"]) > manifest.LICENCE_LENGTH:
                raise InvalidInputError(
                    "licence_too_long",
                    f"--licence may have {manifest.LICENCE_LENGTH} characters at most.",
                )
            job = Job(
                films=read_coco(options["annotations"], options["images"]),
                recipe=recipe.read(options["config"]),
                folder=options["out"],
                seed=options["seed"],
                threads=settings.DETECTOR_THREADS,
                operators=settings.DETECTOR_OPS,
                max_iterations=options["max_iters"],
                start_from=weights_file.read(start, manifest.expected_sha256(start))
                if start
                else None,
                resume=options["resume"],
            )
            self._run(job, options)
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=1) from error

    def _run(self, job: Any, options: dict[str, Any]) -> None:
        from detection.detectors import validated_release  # noqa: PLC0415
        from detection.detectors.coco import read_coco  # noqa: PLC0415

        validation = options["val_annotations"]
        written = validated_release.train_and_release(
            job,
            name=options["name"] or options["out"].resolve().name,
            licence=options["licence"],
            data=options["annotations"].name,
            validation=validation and read_coco(validation, options["images"]),
        )
        self.stdout.write(
            f"{options['out'] / written.file}  sha256 {written.sha256[:12]}  "
            f"thresholds {dict(written.thresholds)}"
        )


def _positive(text: str) -> int:
    if not text.isdigit() or int(text) == 0:
        raise ArgumentTypeError("must be a whole number above 0")
    return int(text)
