"""One test over time: its values with the bands of their day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone

from devices.checklist_steps import plain
from devices.models import Device
from quality.models import Protocol, QAResult
from quality.tests_of import ProtocolTest, from_json
from twinhealth.web.ucum import unit_text

from .standing import signed

LONGEST = 2_000  # sessions of one protocol on one machine


@dataclass(frozen=True, slots=True)
class Point:
    """What one session says of the test; no number where its version doesn't have it.

    Attributes:
        limits: the bands of the version that it was taken with.
    """

    session: int
    at: datetime
    number: float | None
    text: str
    verdict: str
    version: int
    limits: dict[str, float | None]

    @property
    def shown(self) -> str:
        """The mean to six digits, or the text."""
        return self.text if self.number is None else plain(float(f"{self.number:.6g}"))


@dataclass(frozen=True, slots=True)
class Series:
    """A test with its points, oldest first."""

    test: ProtocolTest
    points: list[Point]

    def as_json(self) -> dict[str, Any]:
        """For the chart: columns; `null` is a gap."""
        names = ("action_low", "tolerance_low", "tolerance_high", "action_high")
        zone = timezone.get_current_timezone_name()
        return {
            "key": self.test.key,
            "name": self.test.name,
            "unit": unit_text(self.test.unit),
            "zone": zone,
            "t": [point.at.timestamp() for point in self.points],
            "v": [point.number for point in self.points],
            "verdicts": [point.verdict for point in self.points],
            "sessions": [point.session for point in self.points],
            **{name: [point.limits.get(name) for point in self.points] for name in names},
        }


def series(device: Device, protocol: Protocol) -> list[Series]:
    """Every test of the present version, and of the earlier ones those with results; 2 queries."""
    sessions = list(
        signed()
        .filter(device=device, protocol=protocol)
        .select_related("version")
        .defer("content", "answers")
        .order_by("-performed_at", "-pk")[:LONGEST]
    )[::-1]
    results: dict[tuple[int, str], QAResult] = {
        (row.session_id, row.key): row
        for row in QAResult.objects.filter(session__in=[each.pk for each in sessions])
    }
    tests: dict[str, ProtocolTest] = {}
    versions: dict[int, dict[str, ProtocolTest]] = {}
    for version in [*(each.version for each in sessions), protocol.current]:
        if version is not None and version.pk not in versions:
            versions[version.pk] = {t.key: t for t in map(from_json, version.tests)}
            tests |= versions[version.pk]  # the newest name
    found = []
    for key, test in tests.items():
        points = []
        for each in sessions:
            row, then = results.get((each.pk, key)), versions[each.version_id].get(key)
            points.append(
                Point(
                    each.pk,
                    each.performed_at,
                    row.number if row else None,
                    row.text if row else "",
                    row.verdict if row else "",
                    each.version.number,
                    then.bands.limits() if then and then.bands else {},
                )
            )
        found.append(Series(test, points))
    return found
