"""The figures of a report as a block of the model card, between two marks.

The prose around a block is people's; the block is written by the command and by nobody else.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path
from typing import Any, Final

from detection.detectors.classes import CLASSES
from twinhealth.errors import InvalidInputError

from .wording import (
    AP_GROUPS,
    CONTROLS,
    HEADLINE,
    NOTHING,
    basis,
    percent,
    reached,
    scaling,
    with_span,
    written,
)

_BEGIN: Final = "<!-- figures: {} -->"
_END: Final = "<!-- end of figures -->"


def check(card: Path, name: str) -> None:
    """See to it that a card has one place for the figures of a set, before films are read.

    Raises:
        InvalidInputError: `card_unreadable`, `card_without_block`.
    """
    _parts(card, name)


def write(card: Path, name: str, report: Mapping[str, Any]) -> None:
    """Put a report's figures into a card's block; all else stays as it is.

    Args:
        card: a Markdown file with `<!-- figures: NAME -->` and, below it,
            `<!-- end of figures -->`.
        name: of the block.
        report: as `report.full_report` gives it.

    Raises:
        InvalidInputError: as `check`.
    """
    before, after = _parts(card, name)
    card.write_text(f"{before}\n\n{figures_block(report)}\n\n{after}", encoding="utf-8")


def figures_block(report: Mapping[str, Any]) -> str:
    """Tables in Markdown, with the version they are of."""
    parts = [
        _table(("figure", "value (95 % interval)", "rests on", "without the lungs"), _head(report)),
        _table(("AP50 / AP75 / AP 0.50:0.95 of boxes", *CLASSES, "mean"), _ap(report["ap"])),
    ]
    if report["by_source"]:
        columns = (f"{figure} {label}" for figure in ("AP50", "AUC") for label in CLASSES)
        parts.append(_table(("source", "films", *columns), _sources(report["by_source"])))
    points = ("threshold in service", "score", "films: sensitivity / specificity")
    parts += [
        _table((*points, "boxes: precision / recall"), _points(report)),
        _sentences(report),
    ]
    return "\n\n".join(parts)


def _parts(card: Path, name: str) -> tuple[str, str]:
    """What stands in the card up to the block's first mark, and from its last."""
    try:
        text = card.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidInputError("card_unreadable", f"{card.name} can't be read.") from error
    begin = _BEGIN.format(name)
    before, *rest = text.split(begin)
    # a block that isn't closed must not swallow the next one
    inside, end, after = rest[0].partition(_END) if len(rest) == 1 else ("", "", "")
    if not end or _BEGIN.partition("{")[0] in inside:
        raise InvalidInputError(
            "card_without_block",
            f"{card.name} needs one place for the figures: a line {begin} and below it {_END}.",
        )
    return before + begin, end + after


def _head(report: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    controls = {
        name: "; ".join(
            f"{title} {with_span(figure)}"
            for title, figure in zip(CONTROLS.values(), figures, strict=True)
            if figure
        )
        for name, (_, *figures) in reached(report)
    }
    for name, figure in report["headline"].items():
        yield (
            HEADLINE[name].title,
            with_span(figure),
            basis(name, report["counts"]),
            controls.get(name) or NOTHING,
        )
    after = report["calibration"]["after"]
    if after:
        yield "the same, scaled", with_span(after["ece"]), scaling(report["calibration"]), NOTHING


def _ap(groups: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for key, group in groups.items():
        yield AP_GROUPS[key], *(_triple(group.get(label)) for label in (*CLASSES, "mean"))


def _triple(row: Mapping[str, float] | None) -> str:
    return " / ".join(written(row[key]) for key in ("ap50", "ap75", "ap")) if row else NOTHING


def _sources(by_source: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for source, group in by_source.items():
        boxes = (group["ap"][label] for label in CLASSES)
        yield (
            source,
            str(group["ap"]["images"]),
            *(written(row and row["ap50"]) for row in boxes),
            *(written(group["image_auc"][label]) for label in CLASSES),
        )


def _points(report: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for label, film in report["image_level"]["classes"].items():
        box = report["operating_point"][label]
        yield (
            label,
            f"{film['threshold']:g}",
            f"{with_span(film['sensitivity'])} / {with_span(film['specificity'])}",
            f"{written(box['precision'], 2)} / {written(box['recall'], 2)}",
        )


def _sentences(report: Mapping[str, Any]) -> str:
    flags, counts = report["flags"], report["counts"]
    return (
        f"Flagged for a finding of a disease: {percent(flags['sensitivity'])} of the diseased "
        f"films; left alone: {percent(flags['specificity'])} of the others; no finding at all: "
        f"{percent(flags['films_without_finding'])} of all.\n\n"
        f"Written by `evaluate_detector --card`: {_cell(report['version'])}, weights "
        f"`{report['sha256'][:12]}`, {counts['patients']} patients, {counts['images']} films, "
        f"{counts['boxes']} boxes, {counts['human_boxes']['boxes']} of them drawn by people."
    )


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    every = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in row) + " |" for row in every)


def _cell(text: str) -> str:
    """Text of a set must neither break the table nor become HTML."""
    return re.sub(r"([|\\`*\[\]])", r"\\\1", escape(" ".join(text.split()), quote=False))
