"""A version's evaluation report as the table of its headline figures; pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

# data set of the report -> how the page calls it, the independent one first
SETS = {"test": "test (no choice was made on it)", "val": "validation (choices were made on it)"}


@dataclass(frozen=True, slots=True)
class Row:
    """Average precision at IoU 0.5 on one data set; numbers are `None` where not reported.

    Attributes:
        name: of the data set, for people.
        films, boxes: how many it has.
        classes: label -> AP50, all boxes.
        mean: over the classes.
        human: mean over the classes on boxes drawn by people alone.
        lungs: classes ignored: were the lungs found.
    """

    name: str
    films: int | None
    boxes: int | None
    classes: dict[str, float | None]
    mean: float | None
    human: float | None
    lungs: float | None


def figures_of(metrics: Mapping[str, Any], classes: list[str]) -> list[Row]:
    """Rows for the data sets that the report has (`evaluate_detector`'s shape), test first."""
    rows = []
    for key, name in SETS.items():
        report = metrics.get(key)
        if not isinstance(report, Mapping):
            continue
        everything = _part(report, "ap", "all")
        rows.append(
            Row(
                name=name,
                films=_number(report.get("images")),
                boxes=_number(report.get("boxes")),
                classes={label: _ap50(everything.get(label)) for label in classes},
                mean=_ap50(everything.get("mean")),
                human=_ap50(_part(report, "ap", "human_boxes").get("mean")),
                lungs=_ap50(_part(report, "ap", "classes_ignored").get("any")),
            )
        )
    return rows


def _part(report: Mapping[str, Any], *keys: str) -> Mapping[str, Any]:
    for key in keys:
        found = report.get(key)
        report = found if isinstance(found, Mapping) else {}
    return report


def _ap50(entry: Any) -> float | None:
    return _number(entry.get("ap50")) if isinstance(entry, Mapping) else None


def _number(value: Any) -> Any:
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def training_lines(training: Mapping[str, Any]) -> list[tuple[str, str]]:
    """How a version was made, as (what, value) for people; nested records become one line each."""
    return [(str(key).replace("_", " "), _in_words(value)) for key, value in training.items()]


def _in_words(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {_in_words(inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_in_words(inner) for inner in value)
    return str(value)
