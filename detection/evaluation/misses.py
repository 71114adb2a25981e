"""The films that a version is most wrong about, with pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from detection.detectors.classes import CLASSES
from detection.detectors.coco import Film
from detection.detectors.prediction import Box
from imaging import rendering
from imaging.frame import Frame

from .average_precision import Found
from .evidence import FilmEvidence
from .image_level import called, rounded

SHOWN: Final = 12
_SIDE: Final = 320  # pixels of a picture's longer side


def worst(rows: Sequence[FilmEvidence], most: int = SHOWN) -> list[dict[str, Any]]:
    """Films called another class than theirs, the widest margin between the two scores first."""
    wrong = [row for row in rows if row.label and called(row) != row.label]
    wrong.sort(key=lambda row: (row.scores[row.label] - max(row.scores.values()), row.key))
    return [
        {
            "film": row.key,
            "source": row.source,
            "label": row.label,
            "called": called(row),
            "scores": {label: rounded(row.scores[label]) for label in CLASSES},
        }
        for row in wrong[:most]
    ]


def picture(frame: Frame, film: Film, found: Found, thresholds: Mapping[str, float]) -> SafeString:
    """The film as SVG: annotated boxes dashed, findings at the version's thresholds in full.

    Args:
        frame: the film's pixels.
        film: with its annotations.
        found: what the detector saw, by film id.
        thresholds: from which score a box is a finding.
    """
    png = base64.b64encode(rendering.png(frame, size=_SIDE)).decode("ascii")
    unit = max(film.width, film.height) / _SIDE  # a picture's pixel in pixels of the film
    annotated = format_html_join(
        "",
        '<rect class="truth" x="{}" y="{}" width="{}" height="{}"/>',
        (tuple(round(side, 1) for side in truth.box) for truth in film.boxes),
    )
    shown = [box for box in found.get(film.id, ()) if box.score >= thresholds[box.label]]
    findings = format_html_join(
        "",
        '<rect class="finding" x="{}" y="{}" width="{}" height="{}"/>'
        '<text x="{}" y="{}" font-size="{}">{} {}</text>',
        (
            (
                *(round(side, 1) for side in (box.x, box.y, box.w, box.h)),
                round(box.x + 4 * unit, 1),
                round(box.y + (16 + 17 * _above(i, shown, 60 * unit)) * unit, 1),
                round(14 * unit, 1),
                box.label,
                f"{box.score:.2f}",
            )
            for i, box in enumerate(shown)
        ),
    )
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<image href="data:image/png;base64,{}" width="{}" height="{}"/>{}{}</svg>',
        film.width,
        film.height,
        film.key,
        png,
        film.width,
        film.height,
        annotated,
        findings,
    )


def _above(i: int, boxes: Sequence[Box], near: float) -> int:
    """How many earlier boxes begin at about the same place, whose text stands there already."""
    box = boxes[i]
    return sum(abs(box.x - b.x) < near and abs(box.y - b.y) < near for b in boxes[:i])
