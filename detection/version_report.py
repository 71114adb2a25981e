"""What a version's manifest says of how good it is, as tables with intervals; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from detection.evaluation.wording import Line, headline_lines, percent, span, written

from .figures import SETS

_Row = TypeVar("_Row")


@dataclass(frozen=True, slots=True)
class Section:
    """One data set.

    Attributes:
        name: for people.
        headline: its figures with intervals; empty where the version came without.
        points: (class, threshold, precision of boxes, their recall).
        flags: (what, share of films).
    """

    name: str
    headline: list[Line]
    points: list[tuple[str, str, str, str]]
    flags: list[tuple[str, str]]


def sections(metrics: Mapping[str, Any]) -> list[Section]:
    """A section for each data set that the manifest has figures of, test first.

    What another tool wrote in another shape is left out.
    """
    return [
        Section(
            name=name,
            headline=_read(_headline, report),
            points=_read(_points, report),
            flags=_read(_flags, report),
        )
        for key, name in SETS.items()
        if isinstance(report := metrics.get(key), Mapping)
    ]


def _read(part: Callable[[Mapping[str, Any]], list[_Row]], report: Mapping[str, Any]) -> list[_Row]:
    try:
        return part(report)
    except (KeyError, TypeError, ValueError, AttributeError):
        return []


def _headline(report: Mapping[str, Any]) -> list[Line]:
    lines = headline_lines(report["headline"], report["counts"])
    scaled = report.get("ece_scaled")
    if scaled:
        lines.append(
            Line(
                "Calibration error (ECE), scaled",
                "The same with the version's temperature and offset.",
                written(scaled["value"]),
                span(scaled),
                f"fitted on: {scaled['fitted_on']}",
            )
        )
    return lines


def _points(report: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    return [
        (label, f"{row['threshold']:.2f}", written(row["precision"]), written(row["recall"]))
        for label, row in report["operating_point"].items()
    ]


def _flags(report: Mapping[str, Any]) -> list[tuple[str, str]]:
    flags = report["flags"]
    return [
        ("diseased films flagged", percent(flags["sensitivity"])),
        ("other films left alone", percent(flags["specificity"])),
        ("films without any finding", percent(flags["films_without_finding"])),
    ]
