"""What an admin may assume, within what a simulation can bear. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from twinhealth.errors import InvalidInputError

MAX_RUNS = 2_000
DAYS = 90
LARGEST_SEED = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Bounds:
    """A number that can be changed: what it means, its unit, lowest and highest."""

    label: str
    unit: str
    low: float
    high: float
    whole: bool = False


BOUNDS: dict[str, Bounds] = {
    "engineers": Bounds("Engineers at work on a weekday", "", 0, 200, whole=True),
    "overtime": Bounds("Overtime of one engineer after a shift", "h", 0, 8, whole=True),
    "wear": Bounds("Wear: growth of the failure rate over one interval", "of the mean", 0, 1),
    "part_share": Bounds("Repairs that wait for a part", "of all", 0, 1),
    "part_hours": Bounds("Mean time that they wait", "h", 0, 2_000),
    "rate": Bounds("Failures a year of a machine whose rate is not known", "1/a", 0, 50),
    "runs": Bounds("Runs", "", 50, MAX_RUNS, whole=True),
    "seed": Bounds("Seed", "", 0, LARGEST_SEED, whole=True),
}


@dataclass(frozen=True, slots=True)
class Assumptions:
    """Values in place of those that are not measured.

    Attributes:
        engineers: on a weekday; `None`: those who have an account.
        overtime: hours.
        wear: share of the mean rate.
        part_share, part_hours: `None`: told from past orders where there are enough.
        rate: failures a year of machines without a rate; `None`: their failures aren't simulated.
        runs, seed: of the simulation.
    """

    engineers: int | None = None
    overtime: int = 2
    wear: float = 0.5
    part_share: float | None = None
    part_hours: float | None = None
    rate: float | None = None
    runs: int = 1_000
    seed: int = 1

    def given(self) -> dict[str, Any]:
        """Those that differ from the usual ones, for an address or a stored row."""
        usual = Assumptions()
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if getattr(self, each.name) != getattr(usual, each.name)
        }


def parse(given: Mapping[str, Any]) -> Assumptions:
    """Read them from a form, an address or JSON; what is missing or empty stays as usual.

    Raises:
        InvalidInputError: `assumption_invalid`, `assumption_out_of_range`, with the name.
    """
    found: dict[str, Any] = {}
    for name, bounds in BOUNDS.items():
        value = given.get(name)
        if value is None or (isinstance(value, str) and not value.strip()):
            continue
        found[name] = _number(name, bounds, value)
    return Assumptions(**found)


def _number(name: str, bounds: Bounds, value: Any) -> float:
    try:
        # "0x1", "1_000" and True are numbers to Python, and none to people
        text = "" if isinstance(value, bool) else str(value).strip()[:32].replace("_", "x")
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number) or (bounds.whole and not number.is_integer()):
        kind = "a whole number" if bounds.whole else "a number"
        raise InvalidInputError("assumption_invalid", f"{bounds.label}: give {kind}.", name=name)
    if not bounds.low <= number <= bounds.high:
        raise InvalidInputError(
            "assumption_out_of_range",
            f"{bounds.label}: from {bounds.low:g} to {bounds.high:g} {bounds.unit}".strip() + ".",
            name=name,
            low=bounds.low,
            high=bounds.high,
        )
    return int(number) if bounds.whole else number
