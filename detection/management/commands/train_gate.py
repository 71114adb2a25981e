"""`manage.py train_gate`: the image gate's classifier from an annotated set of frontal films."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection.gate.network import SHIPPED, save
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Draws varied films and made cases, fits, chooses the threshold; one seed, one result."""

    help = "Fit the image gate on readable frontal films (COCO, with boxes around the lungs)."
    requires_system_checks = ()  # no database, no queue

    def add_arguments(self, parser: CommandParser) -> None:
        """--annotations, --val-annotations, --images, --out, --seed."""
        parser.add_argument("--annotations", type=Path, required=True, metavar="COCO.json")
        parser.add_argument(
            "--val-annotations",
            type=Path,
            required=True,
            metavar="COCO.json",
            help="films of other patients, which choose the threshold",
        )
        parser.add_argument("--images", type=Path, required=True, metavar="DIR")
        parser.add_argument(
            "--out", type=Path, default=SHIPPED, help="default: the gate that this software uses"
        )
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        """Fit and write."""
        # fitting and COCO belong to this command's run, not to the import of the commands
        from detection.detectors.coco import read_coco  # noqa: PLC0415
        from detection.gate import training  # noqa: PLC0415
        from detection.gate.films import shrink  # noqa: PLC0415

        seed = options["seed"]
        try:
            fitted = read_coco(options["annotations"], options["images"]).films
            choosing = read_coco(options["val_annotations"], options["images"]).films
            x, labels = training.examples(list(shrink(fitted)), seed=seed, progress=self._progress)
            network = training.fit(x, labels, seed=seed)
            threshold = training.threshold_for(network, shrink(choosing))
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=1) from error
        options["out"].parent.mkdir(parents=True, exist_ok=True)
        save(replace(network, threshold=threshold), options["out"])
        size = options["out"].stat().st_size
        self.stdout.write(
            f"{options['out'].name}: {len(labels)} pictures of {len(fitted)} films, "
            f"threshold {threshold:.3f}, {size / 1000:.0f} kB"
        )

    def _progress(self, films: Any) -> Any:
        from tqdm import tqdm  # noqa: PLC0415

        return tqdm(films, unit="film", file=self.stderr, disable=not self.stderr.isatty())
