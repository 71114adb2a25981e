"""What each figure is called and means, for a clinician and a physicist alike."""

from __future__ import annotations

from typing import Any, Final

TITLES: Final = {
    "ap50_mean": "AP50, mean of the classes",
    "ap50_covid": "AP50 covid, all boxes",
    "ap50_covid_human": "AP50 covid, boxes drawn by people",
    "ap50_lungs": "AP50, lungs found (classes ignored)",
    "ap75_lungs": "AP75, lungs found (classes ignored)",
    "auc_covid": "AUC covid against the rest",
    "auc_pneumonia": "AUC pneumonia against the rest",
    "auc_normal": "AUC normal against the rest",
    "auc_covid_vs_pneumonia_within_source": "AUC covid against pneumonia inside one source",
    "sensitivity_covid_at_specificity_90": "Sensitivity for covid at specificity 0.90",
    "ece": "Calibration error (ECE)",
}


NOTHING: Final = "-"  # stands where the set doesn't define a figure


def written(value: float | None, digits: int = 3) -> str:
    """A figure as text; a dash where the set doesn't define it."""
    return NOTHING if value is None else f"{value:.{digits}f}"


def percent(value: float | None) -> str:
    """A share as text."""
    return NOTHING if value is None else f"{value:.0%}"


def span(figure: dict[str, Any]) -> str:
    """Its 95 % interval as text."""
    if figure["low"] is None:
        return NOTHING
    return f"{written(figure['low'])} to {written(figure['high'])}"


def basis(figure: dict[str, Any]) -> str:
    """Of how much it was computed: "12 patients, 14 films, 28 boxes"."""
    parts = [f"{figure['patients']} patients", f"{figure['images']} films"]
    if "boxes" in figure:
        parts.append(f"{figure['boxes']} boxes")
    return ", ".join(parts)
