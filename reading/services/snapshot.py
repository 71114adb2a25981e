"""What stands on a film: kept with a reading, taken off the film, and put back."""

from __future__ import annotations

from typing import Any

from django.db.models import Q
from django.utils import timezone

from accounts.models import User
from detection import truth
from detection.models import Review
from detection.priority import ABNORMAL
from detection.selectors import Film, FindingView, box_of
from detection.selectors import film as film_of
from reading.models import IndependentRead


def snapshot(*, image_id: int, conclusion: str, reader: User) -> dict[str, Any]:
    """Findings, verdicts, drawn boxes and what follows, in the shape of `IndependentRead`."""
    film = film_of(image_id=image_id, user=reader)
    kept = _truth(film, conclusion, reader.pk).boxes
    return {
        "run": film.run.pk if film.run else None,
        "version": film.version.name if film.version else "",
        "diseases": sorted({box.label for box in kept} & ABNORMAL),
        "kept": [
            {
                "label": box.label,
                "box": list(box.box),
                "verdict": box.verdict,
                "origin": box.origin,
            }
            for box in kept
        ],
        "findings": [_finding(view) for view in film.findings],
        "added": [
            {
                "review": row.pk,
                "label": row.label,
                "box": list(box_of(row) or ()),
                "reason": row.reason,
            }
            for row in film.added
        ],
    }


def take_off(*, image_id: int) -> None:
    """No verdict stands on the film any more, so that the next reader starts from the model alone.

    The rows stay, marked as taken back; the reading's snapshot names those that were its own.
    """
    Review.objects.filter(image_id=image_id, withdrawn_at=None).update(withdrawn_at=timezone.now())


def put_back(*, read: IndependentRead) -> None:
    """The verdicts of this reading stand on the film again, and no others."""
    take_off(image_id=read.image_id)
    named = [f["review"] for f in read.findings["findings"] if f["review"]]
    named += [row["review"] for row in read.findings["added"]]
    Review.objects.filter(Q(pk__in=named), image_id=read.image_id).update(withdrawn_at=None)


def _finding(view: FindingView) -> dict[str, Any]:
    return {
        "finding": view.finding.pk,
        "label": view.label,
        "score": view.score,
        "box": list(view.box),
        "verdict": view.review.verdict if view.review else "",
        "shown_label": view.shown_label,
        "shown_box": list(view.shown_box),
        "reason_code": view.review.reason_code if view.review else "",
        "reason": view.review.reason if view.review else "",
        "review": view.review.pk if view.review else None,
    }


def _truth(film: Film, conclusion: str, signer: int) -> truth.Truth:
    """By the rule of exported sets (docs/datasets.md): one answer to what a reader let stand."""
    return truth.truth_of(
        conclusion=conclusion,
        signer=signer,
        findings=[
            truth.Found(view.label, view.score, view.box, _opinion(view.review))
            for view in film.findings
        ],
        added=[opinion for row in film.added if (opinion := _opinion(row)) is not None],
        thresholds=film.run.counts_from if film.run else {},
    )


def _opinion(row: Review | None) -> truth.Opinion | None:
    return truth.Opinion(row.verdict, row.label, box_of(row), row.by_id) if row else None
