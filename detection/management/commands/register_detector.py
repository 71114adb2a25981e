"""`manage.py register_detector`: the row for the weights that came with this release."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from detection.manifest import read_manifest
from detection.models import VAL, DetectorVersion
from detection.services import evidence, versions
from twinhealth.errors import DomainError

REPORT: Final = ".val.json"  # NAME.val.json: what NAME.pth said of each film of val


class Command(BaseCommand):
    """Registers the weights beside which the manifest lies; safe to run at every start.

    A report `NAME.val.json` beside `NAME.json` becomes the version's evidence on val.
    """

    help = (
        "Register the detector's weights. The release's own read from then on if they are new; "
        "others are a candidate until an admin promotes them, unless nothing is active. "
        "Other weights in their folder are registered, for an admin to choose."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--manifest`, `--report`, `--set`, `--by`, `--activate`."""
        parser.add_argument(
            "--manifest",
            type=Path,
            default=None,
            help="JSON beside the weights (default: the one of DETECTOR_WEIGHTS)",
        )
        parser.add_argument(
            "--report",
            type=Path,
            default=None,
            help="report of evaluate_detector about these weights, kept as evidence",
        )
        parser.add_argument(
            "--set",
            choices=evidence.SETS,
            default=VAL,
            help="which set the report is about (default: val)",
        )
        parser.add_argument("--by", metavar="USERNAME", help="who brings the version, if anybody")
        parser.add_argument(
            "--activate",
            action="store_true",
            help="make it the one that reads, whatever is active and whatever the evidence says",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Register, then activate unless an admin chose another one since."""
        path = options["manifest"] or Path(settings.DETECTOR_WEIGHTS).with_suffix(".json")
        by = options["by"]
        user = User.objects.filter(username=by).first() if by else None
        if by and user is None:
            raise CommandError(f"no_such_user: Nobody is called {by}.")
        try:
            manifest = read_manifest(path)
            known = DetectorVersion.objects.filter(weights_sha256=manifest.sha256).exists()
            version = versions.register_version(manifest, folder=path.parent, user=user)
            if options["report"]:
                evidence.import_report(
                    version=version, path=options["report"], name=options["set"], user=user
                )
            else:
                _take_report_beside(version, path)
            new_release = not known and options["manifest"] is None
            if new_release or options["activate"] or versions.active_version() is None:
                version = versions.promote(version_id=version.pk, user=None)
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}") from error
        self._say(version)
        if options["manifest"] is None:
            others = set(path.parent.glob("*.json")) - set(path.parent.glob(f"*{REPORT}"))
            for other in sorted(others - {path}):
                self._register_beside(other)

    def _register_beside(self, path: Path) -> None:
        """One that may be chosen; if it can't be used, the one that reads still does."""
        try:
            version = versions.register_version(read_manifest(path), folder=path.parent)
            _take_report_beside(version, path)
            self._say(version)
        except DomainError as error:
            self.stderr.write(f"{path.name}: {error.code}: {error.message}")

    def _say(self, version: DetectorVersion) -> None:
        self.stdout.write(f"{version.name} {version.weights_sha256[:12]} {version.state}")


def _take_report_beside(version: DetectorVersion, manifest: Path) -> None:
    """The evidence on val that came with the weights, once."""
    report = manifest.with_suffix(REPORT)
    if report.exists() and not version.evidence_sets.filter(name=VAL).exists():
        evidence.import_report(version=version, path=report, name=VAL)
