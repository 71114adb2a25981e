"""The report as one HTML file that needs nothing from elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.template import Context, Engine
from django.template.base import Template
from django.utils.safestring import SafeString

from detection.detectors.classes import CLASSES

from .charts import Axes, line_chart
from .headline import HEADLINE
from .wording import NOTHING, TITLES, basis, percent, span, written

_AP_ROWS: Final = {
    "all": "all boxes",
    "human_boxes": "boxes drawn by people",
    "classes_ignored": "all boxes, classes ignored",
    "human_boxes_classes_ignored": "boxes drawn by people, classes ignored",
}
_OF_FILMS: Final = (
    "auc_covid",
    "auc_pneumonia",
    "auc_normal",
    "auc_covid_vs_pneumonia_within_source",
    "sensitivity_covid_at_specificity_90",
)


def render(report: Mapping[str, Any], *, data: str, pictures: Mapping[str, SafeString]) -> str:
    """The page.

    Args:
        report: as `reading.measure` gives it.
        data: what to call the set.
        pictures: SVG of films by their name in the set, for those of `worst_misses`.
    """
    context = {
        "report": report,
        "data": data,
        "headline": [_figure(report, name) for name in HEADLINE],
        "ap": list(_ap_rows(report)),
        "sources": list(_source_rows(report)),
        "classes": CLASSES,
        "points": list(_points(report)),
        "flags": {name: percent(value) for name, value in report["flags"].items()},
        "fixed": _fixed(report),
        "calibration": list(_calibration_rows(report)),
        "confusion": [
            (label, [counts[other] for other in (*CLASSES, "none")])
            for label, counts in report["image"]["confusion"].items()
        ],
        "controls": list(_control_rows(report)),
        "charts": _charts(report),
        "misses": [
            {**miss, "picture": pictures.get(miss["film"], "")} for miss in report["worst_misses"]
        ],
    }
    return _template().render(Context(context))


@lru_cache(maxsize=1)
def _template() -> Template:
    file = Path(__file__).with_name("page.html")
    return Engine().from_string(file.read_text(encoding="utf-8"))


def _figure(report: Mapping[str, Any], name: str) -> dict[str, str]:
    figure = report["headline"][name]
    return {
        "title": TITLES[name],
        "value": written(figure["value"]),
        "span": span(figure),
        "basis": basis(figure),
        "meaning": HEADLINE[name],
    }


def _ap_rows(report: Mapping[str, Any]) -> Any:
    """(what, class, films, boxes, AP50, AP75, AP)."""
    for key, title in _AP_ROWS.items():
        group = report["ap"].get(key)
        if group is None:
            continue
        for name in (*CLASSES, "mean") if "mean" in group and "any" not in group else ("any",):
            row = group[name]
            yield (
                title,
                "lung" if name == "any" else name,
                group["images"],
                group["boxes"],
                [written(row and row[part]) for part in ("ap50", "ap75", "ap")],
            )


def _source_rows(report: Mapping[str, Any]) -> Any:
    inside = report["image"]["covid_vs_pneumonia"]
    for source, group in report["by_source"].items():
        lungs = group["classes_ignored"]
        yield (
            source,
            group["patients"],
            group["images"],
            [written(row and row["ap50"]) for row in (group["ap"][label] for label in CLASSES)],
            written(lungs and lungs["ap50"]),
            [written(group["image_auc"][label]) for label in CLASSES],
            written(inside[source]["auc"]) if source in inside else NOTHING,
        )


def _control_rows(report: Mapping[str, Any]) -> Any:
    """(figure, the detector, border alone, lungs painted over)."""
    controls = report["controls"]
    if not controls:
        return
    for name in _OF_FILMS:
        yield (
            TITLES[name],
            [
                (written(figure["value"]), span(figure))
                for figure in (
                    report["headline"][name],
                    controls["border"][name],
                    controls["lungs_blanked"][name],
                )
            ],
        )


def _fixed(report: Mapping[str, Any]) -> dict[str, str] | None:
    """What one pair of boxes for all films reaches, in words."""
    fixed = (report["controls"] or {}).get("fixed_boxes")
    if not fixed:
        return None

    def reached(group: Mapping[str, Any] | None) -> str:
        row = group and group["any"]
        return f"AP50 {written(row['ap50'])}, AP75 {written(row['ap75'])}" if row else ""

    return {
        "origin": fixed["fitted_on"],
        "all": reached(fixed["all"]),
        "human": reached(fixed["human_boxes"]),
    }


def _points(report: Mapping[str, Any]) -> Any:
    """(class, [threshold, film sensitivity and specificity, films, box precision and recall])."""
    for label in CLASSES:
        film = report["image"]["at_thresholds"][label]
        box = report["operating_point"][label]
        yield (
            label,
            [
                f"{film['threshold']:.2f}",
                written(film["sensitivity"]),
                written(film["specificity"]),
                f"{film['films_of_the_class']} / {film['other_films']}",
                written(box["precision"]),
                written(box["recall"]),
            ],
        )


def _calibration_rows(report: Mapping[str, Any]) -> Any:
    for stage in ("before", "after"):
        found = report["calibration"][stage]
        if found:
            errors = (found["ece"], *(found["ece_by_class"][label] for label in CLASSES))
            yield f"{stage} temperature", [written(error) for error in errors]


def _charts(report: Mapping[str, Any]) -> dict[str, SafeString]:
    curves, calibration = report["curves"], report["calibration"]
    stages = {"before temperature": calibration["before"], "after": calibration["after"]}
    return {
        "roc": line_chart(
            "ROC curve of each class",
            curves["roc"],
            Axes("false positive rate", "true positive rate", diagonal=True),
        ),
        "froc": line_chart(
            "FROC curve of each class",
            curves["froc"],
            Axes("wrong boxes per film", "share of boxes found", x_end=2.0),
        ),
        "precision_recall": line_chart(
            "Precision and recall of each class",
            curves["precision_recall"],
            Axes("recall", "precision"),
        ),
        "reliability": line_chart(
            "Reliability of the scores",
            {
                name: [(b["said"], b["so"]) for b in stage["reliability"]]
                for name, stage in stages.items()
                if stage
            },
            Axes("score", "share that is right", diagonal=True, dots=True),
        ),
    }
