"""Tolerance and action level of one test: exact decimal arithmetic. Pure.

Two bands around a reference value, as the AAPM's reports have them (TG-142, TG-150): beyond the
tolerance a correction is planned, beyond the action level the machine isn't used before one.
A value on a limit is inside.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

Side = Literal["both", "above", "below"]
Mode = Literal["absolute", "percent"]
Worse = Literal["pass", "tolerance", "action"]
ORDER: tuple[Worse, ...] = ("pass", "tolerance", "action")


def exact(value: float) -> Decimal:
    """The number as it is written, not as its nearest binary fraction."""
    if not math.isfinite(value):
        raise ValueError("not finite")
    return Decimal(repr(float(value)))


@dataclass(frozen=True, slots=True)
class Bands:
    """How far a value may lie from its reference.

    Attributes:
        reference: in the test's unit.
        tolerance: half width of the inner band, >= 0; in the unit or in percent of the reference.
        action: half width of the outer band, >= `tolerance`.
        mode: `absolute` or `percent`; the latter needs a reference other than 0.
        side: whether both directions count, or only a value above or below the reference.
    """

    reference: float
    tolerance: float
    action: float
    mode: Mode = "absolute"
    side: Side = "both"

    def _width(self, given: float) -> Decimal:
        if self.mode == "percent":
            return abs(exact(self.reference)) * exact(given) / 100
        return exact(given)

    def _limits(self, given: float) -> tuple[Decimal | None, Decimal | None]:
        width, middle = self._width(given), exact(self.reference)
        low = None if self.side == "above" else middle - width
        high = None if self.side == "below" else middle + width
        return low, high

    def verdict(self, value: float) -> Worse:
        """What a value comes to."""
        number = exact(value)
        for said, given in (("action", self.action), ("tolerance", self.tolerance)):
            low, high = self._limits(given)
            if (low is not None and number < low) or (high is not None and number > high):
                return said  # type: ignore[return-value]
        return "pass"

    def limits(self) -> dict[str, float | None]:
        """`{"tolerance_low", "tolerance_high", "action_low", "action_high"}`; `None`: open."""
        found: dict[str, float | None] = {}
        for name, given in (("tolerance", self.tolerance), ("action", self.action)):
            low, high = self._limits(given)
            found[f"{name}_low"] = None if low is None else float(low)
            found[f"{name}_high"] = None if high is None else float(high)
        return found


def worst(verdicts: list[Worse]) -> Worse:
    """Of several the worst; of none that all is well."""
    return max(verdicts, key=ORDER.index, default="pass")


def mean(values: list[float]) -> float:
    """Of at least one value, exact before it is rounded to a float."""
    return float(sum((exact(v) for v in values), Decimal(0)) / len(values))
