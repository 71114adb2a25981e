"""The report as one HTML file that needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from django.template import Context, Engine
from django.template.base import Template
from django.utils.safestring import SafeString

from detection.detectors.classes import CLASSES

from . import curves, misses
from .charts import Axes, line_chart
from .evidence import FilmEvidence, from_json
from .image_level import FALSE_BOXES, NOTHING
from .wording import (
    AP_GROUPS,
    CONTROLS,
    HEADLINE,
    headline_lines,
    percent,
    reached,
    scaling,
    span,
    with_span,
    written,
)


def render(report: Mapping[str, Any], *, data: str, pictures: Mapping[str, SafeString]) -> str:
    """The page.

    Args:
        report: as `report.full_report` gives it.
        data: what to call the set.
        pictures: SVG of films by their key, for those of `misses.worst`; others have none.
    """
    rows = [from_json(row) for row in report["evidence"]]
    context = {
        "report": report,
        "data": data,
        "classes": CLASSES,
        "headline": headline_lines(report["headline"], report["counts"]),
        "by_class": report["counts"]["by_class"].items(),
        "controls": [
            (
                HEADLINE[name].title,
                [figure and (written(figure["value"]), span(figure)) for figure in figures],
            )
            for name, figures in reached(report)
        ],
        "control_names": [
            (title, (report["controls"][name] or {}).get("fitted_on", ""))
            for name, title in CONTROLS.items()
        ],
        "ap": list(_ap_rows(report["ap"])),
        "sources": list(_source_rows(report["by_source"])),
        "points": list(_points(report)),
        "flags": {name: percent(value) for name, value in report["flags"].items()},
        "confusion": [
            (label, counts.values())
            for label, counts in report["image_level"]["confusion"].items()
            if label != NOTHING or any(counts.values())
        ],
        "false_boxes": [f"{most:g}" for most in FALSE_BOXES],
        "froc": [
            (label, [written(share) for share in found.values()])
            for label, found in report["froc"].items()
            if found
        ],
        "scaling": scaling(report["calibration"]) if report["calibration"]["after"] else "",
        "calibration": list(_calibration_rows(report["calibration"])),
        "charts": _charts(rows, report["calibration"]),
        "misses": [
            {**misses.described(row), "picture": pictures.get(row.key, "")}
            for row in misses.worst(rows)
        ],
    }
    return _template().render(Context(context))


@lru_cache(maxsize=1)
def _template() -> Template:
    file = Path(__file__).with_name("page.html")
    return Engine().from_string(file.read_text(encoding="utf-8"))


def _ap_rows(groups: Mapping[str, Any]) -> Iterator[tuple[str, str, int, int, list[str]]]:
    """(which boxes, class, films, boxes, [AP50, AP75, AP])."""
    for key, group in groups.items():
        for label in ("any",) if "any" in group else (*CLASSES, "mean"):
            row = group[label]
            figures = [written(row and row[part]) for part in ("ap50", "ap75", "ap")]
            yield AP_GROUPS[key], label, group["images"], group["boxes"], figures


def _source_rows(
    by_source: Mapping[str, Any],
) -> Iterator[tuple[str, int, list[str], list[str]]]:
    """(source, films, AP50 of each class, AUC of each class)."""
    for source, group in by_source.items():
        boxes = [group["ap"][label] for label in CLASSES]
        yield (
            source,
            group["ap"]["images"],
            [written(row and row["ap50"]) for row in boxes],
            [written(group["image_auc"][label]) for label in CLASSES],
        )


def _points(report: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    """(class, [threshold, films' sensitivity and specificity, boxes' precision and recall])."""
    for label, film in report["image_level"]["classes"].items():
        box = report["operating_point"][label]
        yield (
            label,
            [
                f"{film['threshold']:.2f}",
                with_span(film["sensitivity"]),
                with_span(film["specificity"]),
                written(box["precision"]),
                written(box["recall"]),
            ],
        )


def _calibration_rows(calibration: Mapping[str, Any]) -> Iterator[tuple[str, list[str]]]:
    for stage, title in (("before", "as served"), ("after", "scaled")):
        found = calibration[stage]
        if found:
            errors = [written(found["by_class"][label]) for label in CLASSES]
            yield title, [with_span(found["ece"]), *errors]


def _charts(rows: list[FilmEvidence], calibration: Mapping[str, Any]) -> dict[str, SafeString]:
    stages = {"as served": calibration["before"], "scaled": calibration["after"]}
    return {
        "roc": line_chart(
            "ROC curve of each class",
            curves.roc(rows),
            Axes("share of the others flagged", "share of the class flagged", diagonal=True),
        ),
        "precision_recall": line_chart(
            "Precision and recall of each class",
            curves.precision_recall(rows),
            Axes("recall", "precision"),
        ),
        "froc": line_chart(
            "FROC curve of each disease",
            curves.free_response(rows),
            Axes("wrong boxes a film", "share of boxes found", x_end=2.0),
        ),
        "reliability": line_chart(
            "Reliability of the scores",
            {
                name: [(b["score"], b["frequency"]) for b in stage["reliability"] if b["count"]]
                for name, stage in stages.items()
                if stage
            },
            Axes("score", "share that came true", diagonal=True, dots=True),
        ),
    }
