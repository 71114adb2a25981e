"""What to label next: which films are worth a reader's label, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Count, Exists, Max, OuterRef, Q
from django.utils import timezone

from detection import labelling
from detection.models import (
    DetectorVersion,
    Finding,
    Review,
    RunState,
    Signature,
    Verdict,
    WorklistItem,
)
from devices.models import Device
from imaging.models import Image
from patients.models import Patient

from .priority import ABNORMAL
from .selectors_worklist import age_at

_RELATED = ("image__series__study__patient", "image__device", "run__version")
_FACTS = (
    "pk", "run_id", "run__version_id", "run__thresholds", "flagged", "signed", "image_id",
    "image__device_id", "image__device__name", "image__signature__conclusion", "waiting_since",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Candidate:
    """A film by number with its reasons, strongest first."""

    item_id: int
    reasons: tuple[labelling.Reason, ...]


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One film worth a label.

    Attributes:
        reasons: strongest first; `why` is their sentence.
        age: of the patient at the exposure, whole years; `None` where unknown.
    """

    item: WorklistItem
    image: Image
    patient: Patient
    device: Device | None
    reasons: tuple[labelling.Reason, ...]
    why: str
    age: int | None


@dataclass(frozen=True, slots=True)
class LabelPage:
    """One page of rows; `counts`: reason (`""`: any) to number of films."""

    rows: tuple[LabelRow, ...]
    page: Page[Any]
    counts: dict[str, int]
    as_of: datetime


def label_next(*, why: str = "", page: int | str = 1, page_size: int = 50) -> LabelPage:
    """Films worth a label, the most telling first.

    Args:
        why: only films with this reason (a key of `labelling.WHY`); anything else is all.
        page: from 1; beyond the end gives the last page.
        page_size: rows of a page.
    """
    every = candidates()
    counts = Counter(r.code for c in every for r in c.reasons)
    found = Paginator(with_reason(every, why), page_size).get_page(page)
    rows = label_rows(list(found.object_list))
    found.object_list = rows  # type: ignore[assignment]
    return LabelPage(
        rows=tuple(rows),
        page=found,
        counts={"": len(every)} | {code: counts[code] for code in labelling.WHY},
        as_of=timezone.now(),
    )


def with_reason(every: Sequence[Candidate], why: str) -> list[Candidate]:
    """Those that have a reason; all where it isn't one."""
    if why not in labelling.WHY:
        return list(every)
    return [c for c in every if any(r.code == why for r in c.reasons)]


def candidates() -> list[Candidate]:
    """All films worth a label, in order, in five queries.

    These are films that wait and were read, and signed ones whose conclusion speaks against the
    flag while no verdict says which box is wrong. The rule is applied here and not in the
    database, so that it stands in one place.
    """
    judged = Review.objects.filter(image=OuterRef("image"), withdrawn_at=None)
    against = Q(signed=True) & (
        Q(flagged=True, image__signature__conclusion="normal")
        | Q(flagged=False, image__signature__conclusion="abnormal")
    )
    items = WorklistItem.objects.filter(
        Q(signed=False) | against & ~Exists(judged), run_state=RunState.DONE
    )
    facts = list(items.values(*_FACTS))
    best = _best_scores(items)
    verdicts = _verdicts()
    signed = _signed_by_machine()
    thresholds = dict(DetectorVersion.objects.values_list("pk", "thresholds"))
    found = []
    for row in facts:
        film = labelling.Facts(
            best=best.get(row["run_id"], {}),
            thresholds=row["run__thresholds"] or thresholds.get(row["run__version_id"], {}),
            flagged=row["flagged"],
            verdicts=frozenset(verdicts.get(row["image_id"], ())),
            conclusion=row["image__signature__conclusion"] or "",
            machine=row["image__device__name"] or "",
            machine_signed=signed.get(row["image__device_id"], 0),
        )
        given = labelling.reasons(film)
        if given:
            order = (-labelling.worth(given), row["waiting_since"], row["pk"])
            found.append((order, Candidate(row["pk"], given)))
    return [candidate for _, candidate in sorted(found, key=lambda pair: pair[0])]


def label_rows(chosen: Sequence[Candidate]) -> list[LabelRow]:
    """Rows for the films of one page, in their order, in one query."""
    items = WorklistItem.objects.select_related(*_RELATED).in_bulk([c.item_id for c in chosen])
    return [_row(items[c.item_id], c.reasons) for c in chosen if c.item_id in items]


def _row(item: WorklistItem, given: tuple[labelling.Reason, ...]) -> LabelRow:
    image = item.image
    patient = image.series.study.patient
    return LabelRow(
        item=item,
        image=image,
        patient=patient,
        device=image.device,
        reasons=given,
        why="; ".join(reason.text for reason in given),
        age=age_at(patient.birth_date, image.acquired_at),
    )


def _best_scores(items: Any) -> dict[int, dict[str, float]]:
    """Run's number -> disease -> highest score."""
    scores: dict[int, dict[str, float]] = {}
    of_runs = Finding.objects.filter(run_id__in=items.values("run_id"))
    rows = of_runs.filter(label__in=ABNORMAL).order_by()
    for run_id, label, score in rows.values_list("run_id", "label").annotate(best=Max("score")):
        scores.setdefault(run_id, {})[label] = score
    return scores


def _verdicts() -> Mapping[int, set[str]]:
    """Film that waits -> kinds of verdicts against the model; the newest on a finding counts."""
    newest: dict[tuple[int, int], tuple[int, str]] = {}
    rows = Review.objects.filter(withdrawn_at=None, image__worklist_item__signed=False)
    ordered = rows.order_by("at", "id").values_list("pk", "image_id", "finding_id", "verdict")
    for pk, image_id, finding_id, verdict in ordered:
        newest[image_id, finding_id or -pk] = (image_id, verdict)
    kinds: dict[int, set[str]] = {}
    for image_id, verdict in newest.values():
        if verdict != Verdict.ACCEPT:
            kinds.setdefault(image_id, set()).add(verdict)
    return kinds


def _signed_by_machine() -> dict[int | None, int]:
    rows = Signature.objects.order_by().values_list("image__device_id")
    return dict(rows.annotate(films=Count("pk")))
