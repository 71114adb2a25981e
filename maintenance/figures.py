"""What the figures are, in numbers and in words. Pure.

Terms follow IEC 60050-192: a failure is an unplanned downtime in which the machine could not be
used at all (192-03-01); operating time between failures (192-05-11) is counted in covered hours;
time to restoration (192-07-23) in hours of the clock, since a repair goes on at night.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFINITIONS = {
    "uptime": (
        "Uptime",
        (
            "Of the covered hours in the period, the share in which the machine was not fully "
            "down, planned or not. Partial downtime counts as up. Hours before a machine was "
            "registered, and hours to come, are not counted."
        ),
    ),
    "unplanned": (
        "Unplanned downtime",
        "Covered hours in the period in which the machine was fully down without a plan.",
    ),
    "partial": (
        "Partial downtime",
        "Covered hours in the period in which the machine could be used with limits only.",
    ),
    "mtbf": (
        "MTBF",
        (
            "Covered hours in which the machine was up, divided by the number of failures: "
            "unplanned full downtimes that began in the period."
        ),
    ),
    "mttr": (
        "MTTR",
        (
            "Mean length, in hours of the clock, of the unplanned full downtimes that ended in the "
            "period."
        ),
    ),
    "on_time": (
        "Planned work in time",
        (
            "Of the plans' orders due in the period that are done or late beyond their grace, the "
            "share done by due date and grace. Cancelled orders are left out."
        ),
    ),
}


@dataclass(slots=True)
class Sums:
    """What the figures are computed from; sums of machines add up. Times are in seconds."""

    devices: int = 0
    covered: float = 0.0
    down: float = 0.0  # covered, full, planned or not
    unplanned: float = 0.0  # covered, full
    partial: float = 0.0  # covered
    failures: int = 0
    restored: int = 0
    restoring: float = 0.0  # by the clock
    due: int = 0
    on_time: int = 0

    def add(self, other: Sums) -> None:
        """Take another machine in."""
        # by hand: a house has ten thousand machines
        self.devices += other.devices
        self.covered += other.covered
        self.down += other.down
        self.unplanned += other.unplanned
        self.partial += other.partial
        self.failures += other.failures
        self.restored += other.restored
        self.restoring += other.restoring
        self.due += other.due
        self.on_time += other.on_time

    @property
    def covered_hours(self) -> float:
        """Hours."""
        return self.covered / 3600

    @property
    def unplanned_hours(self) -> float | None:
        """Hours; `None` where no hour was covered."""
        return self.unplanned / 3600 if self.covered else None

    @property
    def partial_hours(self) -> float | None:
        """Hours; `None` where no hour was covered."""
        return self.partial / 3600 if self.covered else None

    @property
    def uptime_percent(self) -> float | None:
        """0 to 100; `None` where no hour was covered."""
        return 100 * (1 - self.down / self.covered) if self.covered else None

    @property
    def mtbf_hours(self) -> float | None:
        """Covered hours; `None` without a failure, which says nothing of how far apart they are."""
        return (self.covered - self.down) / 3600 / self.failures if self.failures else None

    @property
    def mttr_hours(self) -> float | None:
        """Hours of the clock; `None` where none ended."""
        return self.restoring / 3600 / self.restored if self.restored else None

    @property
    def on_time_percent(self) -> float | None:
        """0 to 100; `None` where nothing was due."""
        return 100 * self.on_time / self.due if self.due else None
