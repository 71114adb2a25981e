"""`manage.py register_detector`: the rows for the weights that came with this release."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from detection.manifest import read_manifest
from detection.models import VAL, DetectorVersion, VersionState
from detection.services import evidence, promotion, versions
from detection.services.which import active_version
from twinhealth.errors import DomainError


class Command(BaseCommand):
    """Registers the weights beside which the manifests lie; safe to run at every start."""

    help = (
        "Register the detector's weights. The release's own read from then on if no other can; "
        "all others are candidates until somebody promotes them."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        """`--manifest`, `--report`, `--set`, `--activate`."""
        parser.add_argument(
            "--manifest",
            type=Path,
            default=None,
            help="JSON beside the weights (default: all in the folder of DETECTOR_WEIGHTS)",
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
        parser.add_argument(
            "--activate",
            action="store_true",
            help="make it the one that reads, whatever is active and whatever the evidence says",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Register one, or the release's own and then its neighbours."""
        own = Path(settings.DETECTOR_WEIGHTS).with_suffix(".json")
        asked: Path | None = options["manifest"]
        try:
            version = self._register(asked or own)
            if (options["activate"] and version.state != VersionState.ACTIVE) or _nothing_reads():
                version = promotion.promote(version_id=version.pk, user=None)
            self._say(version)
            if asked or options["report"]:
                _take_evidence(version, asked or own, options["report"], options["set"])
                return
        except DomainError as error:
            raise CommandError(f"{error.code}: {error.message}") from error
        # the release's own reads: whatever is wrong beside it must not keep a hospital shut
        self._try(own, lambda: _take_evidence(version, own))
        for path in _neighbours(own):
            self._try(path, partial(self._neighbour, path))

    def _neighbour(self, path: Path) -> None:
        version = self._register(path)
        self._say(version)
        _take_evidence(version, path)

    def _register(self, path: Path) -> DetectorVersion:
        with transaction.atomic():
            version = versions.register_version(read_manifest(path), folder=path.parent)
            active = version.state == VersionState.ACTIVE  # the start checks have looked at it
            problem = None if active else versions.weights_problem(version)
            if problem is not None:
                raise problem  # and no row stays
            return version

    def _try(self, path: Path, act: Callable[[], object]) -> None:
        try:
            act()
        except DomainError as error:
            self.stderr.write(f"{path.name}: {error.code}: {error.message}")

    def _say(self, version: DetectorVersion) -> None:
        self.stdout.write(f"{version.name} {version.weights_sha256[:12]} {version.state}")


def _nothing_reads() -> bool:
    """Whether no version is active, or the active one's file went with an older release."""
    active = active_version()
    return active is None or versions.weights_problem(active) is not None


def _take_evidence(
    version: DetectorVersion, manifest: Path, report: Path | None = None, name: str = VAL
) -> None:
    """What the manifest names, and a report that was given."""
    beside = read_manifest(manifest).evidence
    found = [(manifest.parent / beside, VAL)] if beside else []
    found += [(report, name)] if report else []
    for path, unnamed in found:
        reports = evidence.reports_in(evidence.read_evidence_file(path), unnamed=unnamed)
        evidence.import_evidence(version=version, reports=reports)


def _neighbours(own: Path) -> list[Path]:
    """Other manifests of the folder: JSON files with weights of their own name beside them."""
    found = sorted(own.parent.glob("*.json"))
    return [path for path in found if path != own and path.with_suffix(".pth").exists()]
