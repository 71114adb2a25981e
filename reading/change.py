"""What became of the findings between a prior film and the present one. No clock, no database.

Compared is per side of the picture, since detector and reader mark whole lungs: a disease that
only the present film shows on a side is new, one that only the prior shows is gone, one in both has
grown, shrunk or stayed by its share of the film. `normal` is no disease, so it is left out. Two
films of a patient differ in distance and inspiration, so a smaller change than `SAME` is none.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from detection.priority import ABNORMAL, side_at

SAME = 0.2  # of the larger area
SIDES = ("left", "right")


@dataclass(frozen=True, slots=True)
class Mark:
    """A finding that stands.

    Attributes:
        label: class.
        center: horizontal centre as a share of the film's width.
        area: share of the film's area.
    """

    label: str
    center: float
    area: float


@dataclass(frozen=True, slots=True)
class Change:
    """One line of the comparison.

    Attributes:
        side: of the picture.
        label: the disease now, or the one that is gone.
        kind: `new`, `gone`, `instead`, `larger`, `smaller`, `same`.
        before: the disease that it stands in the place of; empty unless `instead`.
        ratio: area now by area before; `None` unless it is in both films.
    """

    side: str
    label: str
    kind: str
    before: str = ""
    ratio: float | None = None

    @property
    def text(self) -> str:
        """In words, without the side."""
        if self.kind == "instead":
            return f"{self.label} instead of {self.before}"
        if self.ratio is None or self.kind == "same":
            return f"{self.label}: {self.kind}"
        return f"{self.label}: {self.kind} ({self.ratio:.1f} times its share of the film)"


def changes(before: Iterable[Mark], now: Iterable[Mark]) -> list[Change]:
    """Left side of the picture first, then by label; empty where neither film shows a disease."""
    earlier, later = list(before), list(now)
    found = []
    for side in SIDES:
        found += _on(side, _by_label(earlier, side), _by_label(later, side))
    return found


def _by_label(marks: list[Mark], side: str) -> dict[str, float]:
    """Area of each disease on a side."""
    areas: dict[str, float] = {}
    for mark in marks:
        if mark.label in ABNORMAL and side_at(mark.center) == side:
            areas[mark.label] = areas.get(mark.label, 0.0) + mark.area
    return areas


def _on(side: str, before: dict[str, float], now: dict[str, float]) -> list[Change]:
    came, went = sorted(now.keys() - before.keys()), sorted(before.keys() - now.keys())
    found = []
    if len(came) == 1 and len(went) == 1:
        found.append(Change(side, came[0], "instead", before=went[0]))
    else:
        found += [Change(side, label, "new") for label in came]
        found += [Change(side, label, "gone") for label in went]
    for label in sorted(now.keys() & before.keys()):
        ratio = now[label] / before[label]
        kind = (
            "same" if 1 - SAME <= ratio <= 1 / (1 - SAME) else "larger" if ratio > 1 else "smaller"
        )
        found.append(Change(side, label, kind, ratio=ratio))
    return found
