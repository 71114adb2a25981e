"""What a detector said of one film beside what is so: the row from which figures are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from detection.detectors.average_precision import HUMAN
from detection.detectors.classes import CLASSES
from detection.detectors.coco import Film, Truth
from detection.detectors.operating_point import NORMAL
from detection.detectors.prediction import Box
from twinhealth.errors import InvalidInputError

from .matching import Hit, match

ANY: Final = "any"  # the one class where classes are ignored


class Find(NamedTuple):
    """One box of the detector.

    Attributes:
        label: its class.
        score: 0 to 1.
        hit50, hit75: at IoU 0.50 and 0.75 it is right (1), wrong (0), or doesn't count (`None`)
            because it lies on a box that is ignored.
    """

    label: str
    score: float
    hit50: Hit
    hit75: Hit


@dataclass(frozen=True, slots=True)
class View:
    """One way to count the boxes of a film: how many of each class are wanted, and the finds."""

    wanted: Mapping[str, int] = field(default_factory=dict)
    finds: tuple[Find, ...] = ()


@dataclass(frozen=True, slots=True)
class FilmEvidence:
    """One film.

    Attributes:
        key: file name, with its folders within the set.
        patient: as the set tells; else the key, so that each film is its own patient.
        source: where it comes from; empty if the set doesn't tell.
        label: class of its boxes; of several a disease before `normal`, then the one with more
            boxes; empty without boxes.
        scores: class -> score of the film, the best score of a box of the class, 0 without one.
        boxes: every box counts.
        human: only boxes drawn by people are wanted; a find on another one doesn't count. Empty
            for a film on which people drew none.
        places: classes ignored: every box and find is of the class `any`.
    """

    key: str
    patient: str
    source: str
    label: str
    scores: Mapping[str, float]
    boxes: View
    human: View
    places: View

    def as_json(self) -> dict[str, Any]:
        """For `json.dumps`; `from_json` gives an equal row back."""
        return {
            "key": self.key,
            "patient": self.patient,
            "source": self.source,
            "label": self.label,
            "scores": dict(self.scores),
            "boxes": _view_json(self.boxes),
            "human": _view_json(self.human),
            "places": _view_json(self.places),
        }

    def has(self, label: str) -> bool:
        """Whether one of its boxes is of the class."""
        return self.boxes.wanted.get(label, 0) > 0


def key_of(film: Film) -> str:
    """What a film is called in its set: the file name, with its folders within the set."""
    return film.name or film.path.name


def of_film(film: Film, boxes: Sequence[Box]) -> FilmEvidence:
    """Match what was found in a film with what is there.

    Args:
        film: with its annotated boxes.
        boxes: what the detector saw, at a threshold low enough for a whole curve.
    """
    wanted = [truth.label for truth in film.boxes]
    key = key_of(film)
    return FilmEvidence(
        key=key,
        patient=film.patient or key,
        source=film.source,
        label=_label(wanted),
        scores={
            label: max((box.score for box in boxes if box.label == label), default=0.0)
            for label in CLASSES
        },
        boxes=_by_class(film.boxes, boxes),
        human=_by_class(film.boxes, boxes, human_only=True),
        places=_view(ANY, [(t.box, False) for t in film.boxes], boxes),
    )


def from_json(row: Mapping[str, Any]) -> FilmEvidence:
    """A row as `FilmEvidence.as_json` wrote it.

    Raises:
        InvalidInputError: `evidence_invalid`.
    """
    try:
        return FilmEvidence(
            key=str(row["key"]),
            patient=str(row["patient"]),
            source=str(row["source"]),
            label=str(row["label"]),
            scores={label: float(row["scores"][label]) for label in CLASSES},
            boxes=_view_from(row["boxes"]),
            human=_view_from(row["human"]),
            places=_view_from(row["places"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InvalidInputError(
            "evidence_invalid",
            f"This isn't a film's evidence ({type(error).__name__}: {error}).",
        ) from error


def _label(labels: Sequence[str]) -> str:
    # a film with one diseased lung is a diseased film
    present = sorted(set(labels), key=lambda x: (x == NORMAL, -labels.count(x), CLASSES.index(x)))
    return present[0] if present else ""


def _by_class(truths: Iterable[Truth], boxes: Sequence[Box], *, human_only: bool = False) -> View:
    truths = tuple(truths)
    if human_only and all(truth.origin != HUMAN for truth in truths):
        return View()
    parts = [
        _view(
            label,
            [(t.box, human_only and t.origin != HUMAN) for t in truths if t.label == label],
            [box for box in boxes if box.label == label],
        )
        for label in CLASSES
    ]
    return View(
        {label: n for part in parts for label, n in part.wanted.items()},
        tuple(find for part in parts for find in part.finds),
    )


def _view(label: str, truths: Sequence[Any], boxes: Sequence[Box]) -> View:
    count = sum(not ignored for _, ignored in truths)
    return View(
        {label: count} if count else {},
        tuple(Find(label, *found) for found in match(truths, boxes)),
    )


def _view_json(view: View) -> dict[str, Any]:
    return {"wanted": dict(view.wanted), "finds": [list(find) for find in view.finds]}


def _view_from(row: Mapping[str, Any]) -> View:
    finds = tuple(
        Find(str(label), float(score), _hit(hit50), _hit(hit75))
        for label, score, hit50, hit75 in row["finds"]
    )
    return View({str(label): int(n) for label, n in row["wanted"].items()}, finds)


def _hit(value: Any) -> Hit:
    if value not in (0, 1, None):
        raise ValueError(f"a hit is 1, 0 or null, not {value!r}")
    return value if value is None else int(value)
