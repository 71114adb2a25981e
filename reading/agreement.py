"""How far detector and readers, and two readers, agree: counts into figures. Pure.

Kappa: J. Cohen, Educ. Psychol. Meas. 20, 1960, with the large-sample error of J. L. Fleiss,
J. Cohen and B. S. Everitt, Psychol. Bull. 72, 1969, taken from the table with half a film more in
each cell: full agreement has an interval then, too, and from 5 films on it covers in nine of ten
draws or more, where that of the table itself covers in one of ten. Shares: the interval of
E. B. Wilson, J. Am. Stat. Assoc. 22, 1927. All intervals are 95 %. Films count as independent, so
where one patient has many of them the intervals are somewhat too narrow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

_Z: Final = 1.959963984540054  # normal quantile of 0.975
_MORE: Final = 0.5  # of a film in each cell, for the interval of kappa
_Table = tuple[float, float, float, float]


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
    counted = (cells.hits, cells.alarms, cells.misses, cells.passes)
    if max(cells.hits, cells.passes) == cells.films:
        return None
    value, _ = _kappa(counted)
    hits, alarms, misses, passes = (count + _MORE for count in counted)
    middle, error = _kappa((hits, alarms, misses, passes))
    low, high = max(-1.0, middle - _Z * error), min(1.0, middle + _Z * error)
    return Figure(value, min(value, low), max(value, high), cells.films)


def _kappa(counts: _Table) -> tuple[float, float]:
    """Kappa and its standard error."""
    n = sum(counts)
    hits, alarms, misses, passes = (count / n for count in counts)
    table = ((hits, alarms), (misses, passes))
    rows = [sum(row) for row in table]
    columns = [table[0][i] + table[1][i] for i in range(2)]
    chance = sum(r * c for r, c in zip(rows, columns, strict=True))
    value = (hits + passes - chance) / (1 - chance)
    off = 1 - value
    same = sum(table[i][i] * (1 - (rows[i] + columns[i]) * off) ** 2 for i in range(2))
    other = off**2 * sum(table[i][1 - i] * (columns[i] + rows[1 - i]) ** 2 for i in range(2))
    rest = (value - chance * off) ** 2
    return value, math.sqrt(max(0.0, same + other - rest) / n) / (1 - chance)


@dataclass(frozen=True, slots=True)
class Pair:
    """Films that two readers read apart, by what each concluded; unreadable ones don't count.

    Attributes:
        both: abnormal for both.
        one, other: abnormal for the one alone, for the other alone.
        neither: normal for both.
    """

    both: int
    one: int
    other: int
    neither: int

    @property
    def films(self) -> int:
        """All of them."""
        return self.both + self.one + self.other + self.neither

    @property
    def kappa(self) -> Figure | None:
        """Cohen's kappa of the two; it doesn't matter which of them is the one."""
        return kappa(Cells(self.both, self.one, self.other, self.neither))


def ppv(cells: Cells) -> Figure | None:
    """Of the films flagged, the share signed abnormal; `None` without a flagged one."""
    return share(cells.hits, cells.hits + cells.alarms)


def miss_rate(cells: Cells) -> Figure | None:
    """Of the films signed abnormal, the share not flagged; `None` without an abnormal one."""
    return share(cells.misses, cells.hits + cells.misses)


def detected(cells: Cells) -> Figure | None:
    """Of the films called abnormal, the share flagged; `None` without an abnormal one."""
    return share(cells.hits, cells.hits + cells.misses)


def passed(cells: Cells) -> Figure | None:
    """Of the films called normal, the share not flagged; `None` without a normal one."""
    return share(cells.passes, cells.passes + cells.alarms)


def share(part: int, whole: int) -> Figure | None:
    """A share with its interval; `None` of nothing."""
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
