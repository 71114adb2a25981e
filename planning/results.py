"""Results as rows of a table keep them and as pages and REST show them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .book import Book
from .proposal import Terms
from .scenario import Result
from .simulation.outcome import NAMES, Figure
from .suggestion import Suggested

# name -> (label, unit, digits, whether more of it is better)
LABELS: dict[str, tuple[str, str, int, bool]] = {
    "unplanned": ("unplanned downtime", "h", 1, False),
    "rooms_together": ("two rooms of a group down together at any time", "%", 1, False),
    "together": ("hours with two rooms of a group down", "h", 1, False),
    "on_time": ("planned work in time", "%", 1, True),
    "displaced": ("exams displaced", "", 1, False),
    "overtime": ("overtime", "h", 1, False),
}
WIDTH = 100.0  # of a strip


@dataclass(frozen=True, slots=True)
class Strip:
    """A mean with its interval on a scale from 0 to `WIDTH`."""

    left: float
    width: float
    at: float


@dataclass(frozen=True, slots=True)
class Row:
    """One figure: of the present, of what is compared with it, and the difference."""

    name: str
    label: str
    unit: str
    digits: int
    base: dict[str, float] | None
    changed: dict[str, float] | None
    difference: dict[str, float] | None
    verdict: str  # better, worse, same; empty: not enough data
    base_strip: Strip | None
    changed_strip: Strip | None


def _figures(found: Mapping[str, Figure | None], book: Book) -> dict[str, Any]:
    told = {name: asdict(each) if each else None for name, each in found.items()}
    machines = book.world.machines
    if not machines.exams.any():
        told["displaced"] = None
    # nothing is known of any failure: zero hours would be made up
    if not machines.shape.any() and not machines.down_until.any():
        told |= dict.fromkeys(("unplanned", "rooms_together", "together"))
    return told


def _head(book: Book) -> dict[str, Any]:
    world = book.world
    return {
        "today": book.today.isoformat(),
        "days": world.days,
        "runs": world.runs,
        "seed": world.seed,
        "machines": len(book.machines),
        "orders": len(book.orders),
        "sources": [asdict(each) for each in book.sources],
    }


def of_scenario(book: Book, found: Result) -> dict[str, Any]:
    """What is shown and kept of a scenario."""
    return _head(book) | {
        "changes": [
            {
                "text": each.change.text,
                "words": each.words,
                "code": each.code,
                "message": each.message,
            }
            for each in found.fates
        ],
        "base": _figures(found.base, book),
        "scenario": _figures(found.changed, book),
        "difference": _figures(found.difference, book),
    }


def of_suggestion(book: Book, found: Suggested) -> dict[str, Any]:
    """What is shown and kept of a suggestion, but for its moves."""
    return _head(book) | {
        "objective": {name: _terms(each) for name, each in found.terms.items()},
        "figures": {name: _figures(each, book) for name, each in found.figures.items()},
        "differences": {name: _figures(each, book) for name, each in found.differences.items()},
        "unplaced": found.unplaced,
    }


def _terms(terms: Terms) -> dict[str, float]:
    return asdict(terms) | {"total": terms.total}


def rows(
    base: Mapping[str, Any], changed: Mapping[str, Any], difference: Mapping[str, Any]
) -> list[Row]:
    """A table's rows, in the usual order."""
    found = []
    for name in NAMES:
        label, unit, digits, more = LABELS[name]
        one, other, apart = (each.get(name) for each in (base, changed, difference))
        top = max((each["high"] for each in (one, other) if each), default=0.0)
        found.append(
            Row(
                name, label, unit, digits, one, other, apart, _verdict(apart, more=more),
                _strip(one, top), _strip(other, top),
            )
        )  # fmt: skip
    return found


def _verdict(apart: Mapping[str, float] | None, *, more: bool) -> str:
    """Whether the mean difference is more than chance of the simulation."""
    if apart is None:
        return ""
    if abs(apart["mean"]) <= max(apart["error"], 1e-9):
        return "same"
    return "better" if (apart["mean"] > 0) == more else "worse"


def _strip(found: Mapping[str, float] | None, top: float) -> Strip | None:
    if found is None:
        return None
    scale = WIDTH / top if top > 0 else 0.0
    left, right, at = (
        min(WIDTH, max(0.0, found[name] * scale)) for name in ("low", "high", "mean")
    )
    return Strip(left, max(right - left, 0.5), at)
