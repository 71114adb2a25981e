"""The figures of a report as a block of the model card, between two marks.

The prose around a block is people's; the block is written by the command and by nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from detection.detectors.classes import CLASSES
from twinhealth.errors import InvalidInputError

from .headline import HEADLINE
from .wording import NOTHING, TITLES, basis, percent, span, written

_END: Final = "<!-- end -->"
_GROUPS: Final = {
    "all": "all boxes",
    "human_boxes": "drawn by people",
    "classes_ignored": "classes ignored",
    "human_boxes_classes_ignored": "drawn by people, classes ignored",
}


def write(card: Path, name: str, report: Mapping[str, Any]) -> None:
    """Put the figures into the block of that name; all else stays as it is.

    Args:
        card: a Markdown file with `<!-- NAME -->` and, below it, `<!-- end -->`.
        name: of the block: letters, digits, `_` and `-`.
        report: as `reading.measure` gives it.

    Raises:
        InvalidInputError: `card_unreadable`, `card_without_block`.
    """
    try:
        text = card.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidInputError("card_unreadable", f"{card.name} can't be read.") from error
    start = f"<!-- {name} -->"
    block = re.compile(re.escape(start) + r"\n.*?" + re.escape(_END), re.DOTALL)
    if len(block.findall(text)) != 1:
        raise InvalidInputError(
            "card_without_block",
            f"{card.name} needs one place for the figures: a line {start} and below it {_END}.",
        )
    new = f"{start}\n{figures_block(report)}\n{_END}"
    card.write_text(block.sub(lambda _: new, text), encoding="utf-8")


def figures_block(report: Mapping[str, Any]) -> str:
    """Tables in Markdown, with the version they are of."""
    parts = [
        _lines(
            ("figure", "value", "95 % interval", "computed from"),
            (
                (TITLES[n], written(f["value"]), span(f), basis(f))
                for n, f in ((name, report["headline"][name]) for name in HEADLINE)
            ),
        ),
        _lines(("boxes, AP50 / AP75 / AP 0.50:0.95", *CLASSES, "mean"), _ap(report["ap"])),
    ]
    if report["by_source"]:
        parts.append(
            _lines(
                (
                    "source",
                    "films",
                    *(f"AP50 {c}" for c in CLASSES),
                    *(f"AUC {c}" for c in CLASSES),
                ),
                _sources(report["by_source"]),
            )
        )
    parts.append(
        _lines(
            (
                "at the threshold",
                "score",
                "films: sensitivity / specificity",
                "boxes: precision / recall",
            ),
            _points(report),
        )
    )
    if report["controls"]:
        parts.append(_controls(report))
    parts.append(_sentences(report))
    return "\n\n".join(parts)


def _ap(groups: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for key, title in _GROUPS.items():
        if key in groups:
            group = groups[key]
            yield (title, *(_triple(group.get(label)) for label in (*CLASSES, "mean")))


def _triple(row: Mapping[str, float] | None) -> str:
    return " / ".join(written(row[key]) for key in ("ap50", "ap75", "ap")) if row else NOTHING


def _sources(by_source: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for source, group in by_source.items():
        aps = (group["ap"][label] for label in CLASSES)
        yield (
            source,
            str(group["images"]),
            *(written(row and row["ap50"]) for row in aps),
            *(written(group["image_auc"][label]) for label in CLASSES),
        )


def _points(report: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for label in CLASSES:
        film = report["image"]["at_thresholds"][label]
        box = report["operating_point"][label]
        yield (
            label,
            f"{film['threshold']:g}",
            f"{written(film['sensitivity'], 2)} / {written(film['specificity'], 2)}",
            f"{written(box['precision'], 2)} / {written(box['recall'], 2)}",
        )


def _controls(report: Mapping[str, Any]) -> str:
    controls = report["controls"]
    names = [name for name in HEADLINE if name in controls["border"]]
    columns = (report["headline"], controls["border"], controls["lungs_blanked"])
    table = _lines(
        (
            "negative controls",
            "detector",
            "border pixels and side ratio alone",
            "lungs blanked out",
        ),
        (
            (TITLES[name], *(f"{written(c[name]['value'])} ({span(c[name])})" for c in columns))
            for name in names
        ),
    )
    text = f"The border regression was fitted on {controls['border']['fitted_on']}."
    fixed = controls["fixed_boxes"]
    if fixed:
        human = fixed["human_boxes"]
        text += (
            f" One fixed pair of boxes ({fixed['fitted_on']}), classes ignored: AP50 / AP75 / AP "
            f"{_triple(fixed['all']['any'])} on all boxes"
            + (f", {_triple(human['any'])} on boxes drawn by people." if human else ".")
        )
    return f"{table}\n\n{text}"


def _sentences(report: Mapping[str, Any]) -> str:
    flags, calibration = report["flags"], report["calibration"]
    alarms = None if flags["specificity"] is None else 1 - flags["specificity"]
    flagged = (
        f"Flagged (a finding of a disease): {percent(flags['sensitivity'])} of diseased films, "
        f"{percent(alarms)} of normal ones; "
        f"{percent(flags['films_without_finding'])} of all films have no finding."
    )
    ece = f"Calibration error {written(calibration['before']['ece'])}"
    if calibration["after"]:
        ece += (
            f", {written(calibration['after']['ece'])} with temperature "
            f"{calibration['temperature']:g} ({calibration['temperature_from']})"
        )
    return (
        f"{flagged} {ece}.\n\n"
        f"Written by `evaluate_detector`: `{report['version']}`, weights "
        f"`{report['sha256'][:12]}`, {report['data']['patients']} patients, "
        f"{report['data']['images']} films, {report['data']['boxes']} boxes."
    )


def _lines(head: tuple[str, ...], rows: Any) -> str:
    every = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in every)


def _cell(text: str) -> str:
    """Text of a set must neither break the table nor become HTML."""
    return re.sub(r"([|\\`*\[\]])", r"\\\1", escape(" ".join(text.split()), quote=False))
