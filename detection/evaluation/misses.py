"""The films that a version is most wrong about, with pictures."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any, Final

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from detection.detectors.coco import CocoSet, Film
from detection.detectors.evaluation import frame_of
from detection.detectors.prediction import Box, Detector
from imaging import rendering
from imaging.frame import Frame

from .evidence import FilmEvidence, from_json, key_of
from .image_level import called

SHOWN: Final = 12
_SIDE: Final = 320  # pixels of a picture's longer side


def worst(rows: Sequence[FilmEvidence], most: int = SHOWN) -> list[FilmEvidence]:
    """Films called another class than theirs, the widest margin between the two scores first."""
    wrong = [row for row in rows if row.label and called(row) != row.label]
    wrong.sort(key=lambda row: (row.scores[row.label] - max(row.scores.values()), row.key))
    return wrong[:most]


def pictures(
    detector: Detector, annotated: CocoSet, report: Mapping[str, Any]
) -> dict[str, SafeString]:
    """Pictures of the worst misses of a report, by key; the films are read again, as in service.

    Raises:
        InvalidInputError: as `detectors.evaluation.frame_of`.
    """
    films = {key_of(film): film for film in annotated.films}
    shown = {}
    for row in worst([from_json(row) for row in report["evidence"]]):
        film = films[row.key]
        frame = frame_of(film)
        shown[row.key] = picture(frame, film, detector.predict(frame).boxes)
    return shown


def picture(frame: Frame, film: Film, findings: Sequence[Box]) -> SafeString:
    """The film as SVG: annotated boxes dashed, findings in full with their scores.

    Args:
        frame: the film's pixels.
        film: with its annotations.
        findings: boxes from the version's thresholds on.
    """
    png = base64.b64encode(rendering.png(frame, size=_SIDE)).decode("ascii")
    unit = max(film.width, film.height) / _SIDE  # a picture's pixel in pixels of the film
    annotated = format_html_join(
        "",
        '<rect class="truth" x="{}" y="{}" width="{}" height="{}"/>',
        (tuple(round(side, 1) for side in truth.box) for truth in film.boxes),
    )
    found = format_html_join(
        "",
        '<rect class="finding" x="{}" y="{}" width="{}" height="{}"/>'
        '<text x="{}" y="{}" font-size="{}">{} {}</text>',
        (
            (
                *(round(side, 1) for side in (box.x, box.y, box.w, box.h)),
                round(box.x + 4 * unit, 1),
                round(box.y + (16 + 17 * _above(i, findings, 60 * unit)) * unit, 1),
                round(14 * unit, 1),
                box.label,
                f"{box.score:.2f}",
            )
            for i, box in enumerate(findings)
        ),
    )
    return format_html(
        '<svg viewBox="0 0 {} {}" role="img" aria-label="{}">'
        '<image href="data:image/png;base64,{}" width="{}" height="{}"/>{}{}</svg>',
        film.width,
        film.height,
        key_of(film),
        png,
        film.width,
        film.height,
        annotated,
        found,
    )


def described(row: FilmEvidence) -> dict[str, Any]:
    """What stands below a picture."""
    return {
        "film": row.key,
        "source": row.source,
        "label": row.label,
        "called": called(row),
        "scores": [(label, f"{score:.2f}") for label, score in row.scores.items()],
    }


def _above(i: int, boxes: Sequence[Box], near: float) -> int:
    """How many earlier boxes begin at about the same place, whose text stands there already."""
    box = boxes[i]
    return sum(abs(box.x - b.x) < near and abs(box.y - b.y) < near for b in boxes[:i])
