"""How far the detector and the readers who signed agree: counts into figures. Pure.

Kappa: J. Cohen, Educ. Psychol. Meas. 20, 1960, with the large-sample error of J. L. Fleiss,
J. Cohen and B. S. Everitt, Psychol. Bull. 72, 1969. Shares: the interval of E. B. Wilson,
J. Am. Stat. Assoc. 22, 1927. All intervals are 95 %. Films count as independent, so where one
patient has many of them the intervals are somewhat too narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_Z: Final = 1.959963984540054  # normal quantile of 0.975


@dataclass(frozen=True, slots=True)
class Cells:
    """Signed films by what the detector and the signature said; unreadable ones don't count.

    Attributes:
        hits: flagged, signed abnormal.
        alarms: flagged, signed normal.
        misses: not flagged, signed abnormal.
        passes: not flagged, signed normal.
    """

    hits: int
    alarms: int
    misses: int
    passes: int

    @property
    def films(self) -> int:
        """All of them."""
        return self.hits + self.alarms + self.misses + self.passes


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure with its interval, and the number of films that it rests on."""

    value: float
    low: float
    high: float
    films: int


def kappa(cells: Cells) -> Figure | None:
    """Cohen's kappa of flag and signature, -1 to 1; `None` where chance alone agrees fully."""
    n = cells.films
    if n == 0:
        return None
    table = ((cells.hits / n, cells.alarms / n), (cells.misses / n, cells.passes / n))
    rows = [sum(row) for row in table]
    columns = [table[0][i] + table[1][i] for i in range(2)]
    seen = table[0][0] + table[1][1]
    chance = sum(r * c for r, c in zip(rows, columns, strict=True))
    if chance >= 1:
        return None
    value = (seen - chance) / (1 - chance)
    off = 1 - value
    same = sum(table[i][i] * (1 - (rows[i] + columns[i]) * off) ** 2 for i in range(2))
    other = off**2 * sum(table[i][1 - i] * (columns[i] + rows[1 - i]) ** 2 for i in range(2))
    rest = (value - chance * off) ** 2
    error = math.sqrt(max(0.0, same + other - rest) / n) / (1 - chance)
    return Figure(value, max(-1.0, value - _Z * error), min(1.0, value + _Z * error), n)


def ppv(cells: Cells) -> Figure | None:
    """Of the films flagged, the share signed abnormal; `None` without a flagged one."""
    return share(cells.hits, cells.hits + cells.alarms)


def miss_rate(cells: Cells) -> Figure | None:
    """Of the films signed abnormal, the share not flagged; `None` without an abnormal one."""
    return share(cells.misses, cells.hits + cells.misses)


def share(part: int, whole: int) -> Figure | None:
    """A part of a whole with its interval; `None` of nothing."""
    if whole == 0:
        return None
    value = part / whole
    spread = _Z**2 / whole
    middle = (value + spread / 2) / (1 + spread)
    half = _Z * math.sqrt(value * (1 - value) / whole + spread / (4 * whole)) / (1 + spread)
    # at the ends the formula gives 0 and 1 but for the last digit
    low = 0.0 if part == 0 else middle - half
    high = 1.0 if part == whole else middle + half
    return Figure(value, low, high, whole)
