"""`manage.py measure_label_noise`: how far a set's labels can be believed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from detection.detectors import recipe
from detection.detectors.coco import TIERS, of_tier, read_coco
from detection.evaluation.label_noise import noise_report
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Cross-validated disagreement of readers with the labels, and the ceiling that follows."""

    help = "Estimate the share of wrong labels in a COCO set, and the ceiling of AP50 it sets."
    requires_system_checks = ()  # no database, no queue

    def add_arguments(self, parser: CommandParser) -> None:
        """The set, what the backbone learns first, how long."""
        parser.add_argument("--annotations", type=Path, required=True, metavar="COCO.json")
        parser.add_argument("--images", type=Path, required=True, metavar="DIR")
        parser.add_argument("--pretrain", type=Path, required=True, metavar="DIR")
        parser.add_argument("--out", type=Path, required=True, metavar="REPORT.json")
        parser.add_argument(
            "--work", type=Path, required=True, metavar="DIR", help="checkpoints; goes on in it"
        )
        parser.add_argument("--config", default="light-film", help="recipe with [pretraining]")
        parser.add_argument("--tier", choices=tuple(TIERS), default="")
        parser.add_argument("--epochs", type=int, choices=range(1, 21), default=4, metavar="1..20")
        parser.add_argument(
            "--backbone-epochs", type=int, choices=range(1, 101), metavar="N", help="default: all"
        )
        parser.add_argument(
            "--side", type=int, choices=range(32, 513), default=160, metavar="32..512"
        )
        parser.add_argument("--readers", type=int, choices=range(1, 11), default=2, metavar="1..10")
        parser.add_argument("--seed", type=int, default=0)

    def handle(self, *args: Any, **options: Any) -> None:
        """Name the films, count, write the report."""
        # torch belongs to this command's run, not to the import of the commands
        from detection.detectors import cross_naming  # noqa: PLC0415

        try:
            films = read_coco(options["annotations"], options["images"])
            named = cross_naming.name_across(
                cross_naming.Plan(
                    films=of_tier(films, options["tier"]) if options["tier"] else films,
                    pretrain=options["pretrain"],
                    recipe=recipe.read(options["config"]),
                    folder=options["work"],
                    epochs=options["epochs"],
                    backbone_epochs=options["backbone_epochs"],
                    side=options["side"],
                    readers=options["readers"],
                    seed=options["seed"],
                    threads=settings.DETECTOR_THREADS,
                    operators=settings.DETECTOR_OPS,
                    device=settings.DETECTOR_DEVICE,
                )
            )
            report = noise_report(named, seed=options["seed"])
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}", returncode=1) from error
        options["out"].write_text(json.dumps(report, indent=1) + "\n")
        for label, row in report["ceiling_ap50"].items():
            self.stdout.write(
                f"AP50 {label}: at best about {row['value']:.3f} ({row['low']} to {row['high']})"
            )
