"""What each figure is called, means and rests on, for a clinician and a physicist alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

NOTHING: Final = "-"  # stands where the set can't tell a figure


@dataclass(frozen=True, slots=True)
class Figure:
    """How a headline figure is shown.

    Attributes:
        title: its name.
        meaning: in plain words.
        sentence: its name where versions are compared, which stands alone.
        of: the class it is about, `human_boxes`, or empty for the whole set.
        boxes: whether it counts boxes, not films.
    """

    title: str
    meaning: str
    sentence: str
    of: str = ""
    boxes: bool = False


HEADLINE: Final[Mapping[str, Figure]] = {
    "ap50_mean": Figure(
        "AP50, mean of the classes",
        "Lungs found and named rightly, against the wrong boxes ranked above them. 1 is perfect.",
        "boxes of all classes: average precision at IoU 0.5, mean",
        boxes=True,
    ),
    "ap50_covid": Figure(
        "AP50 covid",
        "The same for covid.",
        "COVID-19 boxes: average precision at IoU 0.5",
        "covid",
        boxes=True,
    ),
    "ap50_covid_human": Figure(
        "AP50 covid, boxes drawn by people",
        "The same for covid, on films whose boxes people drew.",
        "COVID-19 boxes drawn by people: average precision at IoU 0.5",
        "human_boxes",
        boxes=True,
    ),
    "ap50_lungs": Figure(
        "AP50, lungs found",
        "Lungs found, whatever they are called; boxes overlap by half.",
        "lungs found, class ignored: average precision at IoU 0.5",
        boxes=True,
    ),
    "ap75_lungs": Figure(
        "AP75, lungs found",
        "The same; boxes overlap by three quarters.",
        "lungs found, class ignored: average precision at IoU 0.75",
        boxes=True,
    ),
    "auc_covid": Figure(
        "AUC covid",
        "How often a covid film scores above another film. 0.5 is chance.",
        "film with COVID-19 or not: area under the ROC curve",
        "covid",
    ),
    "auc_pneumonia": Figure(
        "AUC pneumonia",
        "The same for pneumonia.",
        "film with pneumonia or not: area under the ROC curve",
        "pneumonia",
    ),
    "auc_normal": Figure(
        "AUC normal",
        "The same for normal films.",
        "film with a normal lung or not: area under the ROC curve",
        "normal",
    ),
    "auc_covid_vs_pneumonia_within_source": Figure(
        "AUC covid against pneumonia within a source",
        "How often a covid film looks more like covid than a pneumonia film of the same source: "
        "knowing the source helps nothing.",
        "COVID-19 or pneumonia, within one source: area",
        "covid",
    ),
    "sensitivity_covid_at_specificity_90": Figure(
        "Sensitivity for covid at specificity 0.90",
        "Share of covid films found when one in ten of the others may be flagged.",
        "sensitivity for COVID-19 at 90 % specificity",
        "covid",
    ),
    "ece": Figure(
        "Calibration error (ECE), as served",
        "By how much scores miss the frequency with which they come true. 0 is perfect.",
        "expected calibration error, less is better",
    ),
}

AP_GROUPS: Final[Mapping[str, str]] = {
    "all": "all boxes",
    "human_boxes": "drawn by people",
    "classes_ignored": "classes ignored",
    "human_boxes_classes_ignored": "drawn by people, classes ignored",
}

CONTROLS: Final[Mapping[str, str]] = {
    "border": "border and side ratio alone",
    "lungs_blanked": "lungs blanked out",
    "fixed_boxes": "one fixed pair of boxes",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A headline figure as text: name, meaning, value, 95 % interval, what it rests on."""

    title: str
    meaning: str
    value: str
    span: str
    basis: str


def headline_lines(
    headline: Mapping[str, Mapping[str, Any]], counts: Mapping[str, Any]
) -> list[Line]:
    """The headline of a report or manifest, in its order."""
    return [
        Line(
            HEADLINE[name].title,
            HEADLINE[name].meaning,
            written(figure["value"]),
            span(figure),
            basis(name, counts),
        )
        for name, figure in headline.items()
    ]


def written(value: float | None, digits: int = 3) -> str:
    """A figure as text; a dash where the set can't tell it."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share as text."""
    return NOTHING if value is None else f"{value:.0%}"


def span(figure: Mapping[str, Any]) -> str:
    """Its 95 % interval as text."""
    if figure["low"] is None:
        return NOTHING
    return f"{written(figure['low'])} to {written(figure['high'])}"


def with_span(figure: Mapping[str, Any]) -> str:
    """Value and interval, "0.91 (0.85 to 0.95)"; the value alone where there is no interval."""
    value = written(figure["value"])
    return value if figure["low"] is None else f"{value} ({span(figure)})"


def basis(name: str, counts: Mapping[str, Any]) -> str:
    """What a headline figure rests on, "15 patients, 41 films" of its class, or of the set."""
    figure = HEADLINE[name]
    by_name = {"": counts, "human_boxes": counts["human_boxes"], **counts["by_class"]}
    group = by_name[figure.of]
    parts = [f"{group['patients']} patients", f"{group['images']} films"]
    if figure.boxes:
        parts.append(f"{group['boxes']} boxes")
    return ", ".join(parts)


def reached(report: Mapping[str, Any]) -> list[tuple[str, list[Mapping[str, Any] | None]]]:
    """Headline figures that a control has, too: (name, [the detector's, each control's]).

    Controls stand in the order of `CONTROLS`; `None` where one has no such figure.
    """
    controls = [report["controls"][name] or {} for name in CONTROLS]
    return [
        (name, [figure, *(control.get(name) for control in controls)])
        for name, figure in report["headline"].items()
        if any(name in control for control in controls)
    ]


def scaling(calibration: Mapping[str, Any]) -> str:
    """Which scaling of the scores a report's calibration is about, and where it comes from."""
    return (
        f"temperature {calibration['temperature']:.2f}, offset {calibration['offset']:+.2f}; "
        f"fitted on: {calibration['fitted_on']}"
    )
