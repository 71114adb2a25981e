"""What a radiation dose report tells of the machine: plain values, no patient, no DICOM."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Self

from devices.facts import MachineName

DOSE_SR = "1.2.840.10008.5.1.4.1.1.88.67"  # X-Ray Radiation Dose SR Storage


@dataclass(frozen=True, slots=True)
class Exposure:
    """One irradiation event: metric key -> (value, UCUM unit) at its moment, aware."""

    at: datetime
    readings: dict[str, tuple[float, str]]


@dataclass(frozen=True, slots=True)
class DoseReportFacts:
    """A report's machine and exposures, oldest first.

    `events` counts those without a usable time as well.
    """

    sop_instance_uid: str
    machine: MachineName
    exposures: tuple[Exposure, ...]
    events: int

    def to_json(self) -> dict[str, Any]:
        """JSON-safe dict; `from_json` is its inverse."""
        return {
            "sop_instance_uid": self.sop_instance_uid,
            "machine": asdict(self.machine),
            "exposures": exposures_to_json(self.exposures),
            "events": self.events,
        }

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Self:
        """Build from what `to_json` gave."""
        return cls(
            sop_instance_uid=data["sop_instance_uid"],
            machine=MachineName(**data["machine"]),
            exposures=exposures_from_json(data["exposures"]),
            events=data["events"],
        )


def exposures_to_json(exposures: tuple[Exposure, ...]) -> list[dict[str, Any]]:
    """JSON-safe list; `exposures_from_json` is its inverse."""
    return [{"at": e.at.isoformat(), "readings": e.readings} for e in exposures]


def exposures_from_json(data: list[dict[str, Any]]) -> tuple[Exposure, ...]:
    """Build from what `exposures_to_json` gave."""
    return tuple(
        Exposure(
            datetime.fromisoformat(each["at"]),
            {key: (float(v), str(u)) for key, (v, u) in each["readings"].items()},
        )
        for each in data
    )
