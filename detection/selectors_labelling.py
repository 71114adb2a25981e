"""What to label next: which films are worth a reader's label, and why.

The database orders and counts the films (`_worth` is the arithmetic of `detection.labelling` as an
expression); `labelling.reasons` says why for those of one page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any, cast

from django.core.paginator import Page, Paginator
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    FloatField,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import Combinable
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Abs, Cast, Coalesce, Greatest
from django.db.models.lookups import GreaterThanOrEqual
from django.utils import timezone

from accounts.models import User
from detection import blinding, labelling
from detection.models import (
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
from .worklist_row import age_at

_RELATED = (
    "image__series__study__patient", "image__device", "image__signature", "run__version",
)  # fmt: skip
_NOWHERE = -9.0  # a score or a distance that is none: as far away as no score can be


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


class Ranked:
    """Films worth a label, the most telling first; only what is looked at is read.

    These are films that wait and were read, and signed ones whose conclusion speaks against the
    flag while no verdict says which box is wrong.

    Args:
        user: who asks; films whose model is hidden from a blinded reader are left out, as to stand
            here tells what the model said.
        why: only films with this reason (a key of `labelling.WHY`); anything else is all.
    """

    def __init__(self, user: User, why: str = "") -> None:
        self._why = why if why in labelling.WHY else ""
        self._shown = blinding.sight(user).shown()
        self._signed = _signed_by_machine()

    @cached_property
    def counts(self) -> dict[str, int]:
        """Reason (`""`: any) to number of films."""
        every = {"": "worth"} | {code: code for code in labelling.WHY}
        numbers = _worth(self._signed, self._shown).aggregate(
            **{
                f"films_{name}": Count("pk", filter=Q(**{f"{name}__gt": 0}))
                for name in every.values()
            }
        )
        return {code: numbers[f"films_{name}"] for code, name in every.items()}

    def __len__(self) -> int:
        return self.counts[self._why]

    def __getitem__(self, wanted: slice) -> list[LabelRow]:
        """Rows from place to place, in four queries however many films wait."""
        films = _worth(self._signed, self._shown)
        if self._why:
            films = films.filter(**{f"{self._why}__gt": 0})
        # those that aren't worth a label come last, beyond `len`
        order = films.order_by("-worth", "waiting_since", "pk").values_list("pk", flat=True)
        return _rows(list(order[: len(self)][wanted]), self._signed)


def label_next(*, user: User, why: str = "", page: int | str = 1, page_size: int = 50) -> LabelPage:
    """One page of `Ranked`.

    Args:
        user: as there.
        why: as there.
        page: from 1; beyond the end gives the last page.
        page_size: rows of a page.
    """
    ranked = Ranked(user, why)
    found: Page[Any] = Paginator(cast("Any", ranked), page_size).get_page(page)
    return LabelPage(
        rows=tuple(found.object_list),
        page=found,
        counts=ranked.counts,
        as_of=timezone.now(),
    )


def _worth(signed: dict[int, int], shown: Q) -> QuerySet[Any, Any]:
    """Films that may be worth a label, each with the weight of each reason and their sum, `worth`.

    `labelling.reasons` has the same weights of one film; a test holds them together.
    """
    judged = Review.objects.filter(image=OuterRef("image"), withdrawn_at=None)
    against = Q(signed=True) & (
        Q(flagged=True, image__signature__conclusion="normal")
        | Q(flagged=False, image__signature__conclusion="abnormal")
    )
    films = WorklistItem.objects.filter(
        Q(signed=False) | against & ~Exists(judged), shown, run_state=RunState.DONE
    )
    weights = {
        labelling.DISAGREE: _disagree(),
        labelling.UNCERTAIN: _uncertain(),
        labelling.NEW_DEVICE: _new_device(signed),
    }
    return (
        films.order_by()
        .values("pk", "waiting_since")
        .alias(**{f"best_{label}": _best(label) for label in ABNORMAL})
        .alias(**{f"limit_{label}": _limit(label) for label in ABNORMAL})
        .alias(**{code: _open_only(code, weight) for code, weight in weights.items()})
        .alias(worth=sum((F(code) for code in weights), start=Value(0.0)))
    )


def _open_only(code: str, weight: Combinable) -> Combinable:
    """A signed film is here because its reader disagreed, whatever else is true of it."""
    if code == labelling.DISAGREE:
        return weight
    return Case(When(signed=True, then=Value(0.0)), default=weight, output_field=FloatField())


def _disagree() -> Combinable:
    counting = Review.objects.filter(withdrawn_at=None)
    later = Q(at__gt=OuterRef("at")) | Q(at=OuterRef("at"), pk__gt=OuterRef("pk"))
    # on a finding the newest verdict counts; an added box has none, and stands for itself
    overruled = Exists(counting.filter(later, finding=OuterRef("finding")))
    said = counting.filter(~overruled, image=OuterRef("image")).exclude(verdict=Verdict.ACCEPT)
    full = Value(labelling.WEIGHTS[labelling.DISAGREE])
    return Case(
        When(signed=True, then=full),
        When(Exists(said), then=full),
        default=Value(0.0),
        output_field=FloatField(),
    )


def _best(label: str) -> Combinable:
    """Highest score of a disease in the film's reading."""
    of_label = Q(run__findings__label=label)
    return Coalesce(Max("run__findings__score", filter=of_label), Value(_NOWHERE))


def _limit(label: str) -> Combinable:
    """Score from which a disease counted in the film's reading; an aggregate of one, as `_best`."""
    kept, own = (
        Cast(KeyTextTransform(label, field), FloatField())
        for field in ("run__thresholds", "run__version__thresholds")
    )
    return Max(Coalesce(kept, own))


def _uncertain() -> Combinable:
    first, second = sorted(ABNORMAL)

    def score(label: str) -> Combinable:
        return Case(
            When(**{f"limit_{label}__isnull": False}, then=F(f"best_{label}")),
            default=Value(_NOWHERE),
            output_field=FloatField(),
        )

    def over(label: str) -> Combinable:
        return Coalesce(F(f"best_{label}") - F(f"limit_{label}"), Value(_NOWHERE))

    nearest = Greatest(over(first), over(second))
    near = Value(1.0) - Abs(nearest) / Value(labelling.NEAR)
    close = Case(
        When(
            GreaterThanOrEqual(nearest, Value(0.0)),
            then=Value(1.0) - Abs(score(first) - score(second)) / Value(labelling.CLOSE),
        ),
        default=Value(0.0),
        output_field=FloatField(),
    )
    full = Value(labelling.WEIGHTS[labelling.UNCERTAIN])
    return full * Greatest(near, close, Value(0.0))


def _new_device(signed: dict[int, int]) -> Combinable:
    machines: dict[int, list[int]] = {}
    for device, count in signed.items():
        machines.setdefault(min(count, labelling.FEW), []).append(device)
    return Case(
        When(Q(image__device=None) | Q(image__device__name=""), then=Value(0.0)),
        *(
            When(image__device__in=of_count, then=Value(labelling.newness(count)))
            for count, of_count in machines.items()
        ),
        default=Value(labelling.newness(0)),
        output_field=FloatField(),
    )


def _rows(chosen: Sequence[int], signed: dict[int, int]) -> list[LabelRow]:
    """Rows for the films of one page, in their order, in three queries."""
    items = WorklistItem.objects.select_related(*_RELATED).in_bulk(chosen)
    best = _best_scores(items.values())
    verdicts = _verdicts(items.values())
    return [
        _row(
            items[pk],
            best=best.get(items[pk].run_id or 0, {}),
            verdicts=frozenset(verdicts.get(items[pk].image_id, ())),
            signed=signed,
        )
        for pk in chosen
        if pk in items
    ]


def _row(
    item: WorklistItem, *, best: dict[str, float], verdicts: frozenset[str], signed: dict[int, int]
) -> LabelRow:
    image, device = item.image, item.image.device
    patient = image.series.study.patient
    signature = getattr(image, "signature", None)
    given = labelling.reasons(
        labelling.Facts(
            best=best,
            thresholds=item.run.counts_from if item.run else {},
            flagged=item.flagged,
            verdicts=frozenset() if item.signed else verdicts,
            conclusion=signature.conclusion if item.signed and signature else "",
            machine=device.name if device else "",
            machine_signed=signed.get(device.pk, 0) if device else 0,
        )
    )
    return LabelRow(
        item=item,
        image=image,
        patient=patient,
        device=device,
        reasons=given,
        why="; ".join(reason.text for reason in given),
        age=age_at(patient.birth_date, image.acquired_at),
    )


def _best_scores(items: Iterable[WorklistItem]) -> dict[int, dict[str, float]]:
    """Run's number -> disease -> highest score."""
    scores: dict[int, dict[str, float]] = {}
    of_runs = Finding.objects.filter(run_id__in=[i.run_id for i in items], label__in=ABNORMAL)
    rows = of_runs.order_by().values_list("run_id", "label").annotate(best=Max("score"))
    for run_id, label, score in rows:
        scores.setdefault(run_id, {})[label] = score
    return scores


def _verdicts(items: Iterable[WorklistItem]) -> dict[int, set[str]]:
    """Film -> kinds of verdicts against the model; the newest on a finding counts."""
    newest: dict[tuple[int, int], tuple[int, str]] = {}
    rows = Review.objects.filter(withdrawn_at=None, image_id__in=[i.image_id for i in items])
    ordered = rows.order_by("at", "id").values_list("pk", "image_id", "finding_id", "verdict")
    for pk, image_id, finding_id, verdict in ordered:
        newest[image_id, finding_id or -pk] = (image_id, verdict)
    kinds: dict[int, set[str]] = {}
    for image_id, verdict in newest.values():
        if verdict != Verdict.ACCEPT:
            kinds.setdefault(image_id, set()).add(verdict)
    return kinds


def _signed_by_machine() -> dict[int, int]:
    """Number of a known machine to its signed films."""
    rows = Signature.objects.order_by().exclude(image__device=None)
    return dict(rows.values_list("image__device_id").annotate(films=Count("pk")))
