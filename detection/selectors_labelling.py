"""The list of films to label next: facts read for all, joined for one page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, Max, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from detection import labelling
from detection.labelling import Wanted, Why
from detection.models import (
    Conclusion,
    DatasetItem,
    DetectorVersion,
    Finding,
    Review,
    RunState,
    Signature,
    Verdict,
    WorklistItem,
)
from detection.selectors_dataset import latest_dataset
from detection.selectors_worklist import WorklistRow, rows_of
from devices.models import Device

LOOKED_AT = 10_000  # newest films: older ones have had their time


@dataclass(frozen=True, slots=True)
class LabelRow:
    """One film: why it is wanted, and what the worklist knows of it.

    Attributes:
        conclusion: of its signature; empty while it is open for verdicts.
    """

    wanted: Wanted
    film: WorklistRow
    conclusion: str


@dataclass(frozen=True, slots=True)
class LabelList:
    """The whole list, cheap to hold; `rows` joins what one page shows.

    Attributes:
        wanted: in order, filtered.
        counts: kind of reason -> films (of the chosen machine), `""` for all.
        machines: that have a film in the unfiltered list.
        cut: there were more than `LOOKED_AT` films to look at.
    """

    wanted: list[Wanted]
    counts: dict[str, int]
    machines: tuple[Device, ...]
    cut: bool
    as_of: datetime
    user: User
    conclusions: Mapping[int, str]

    def rows(self, page: Sequence[Wanted]) -> list[LabelRow]:
        """The films of one page, in its order, in three queries."""
        numbers = [w.image for w in page]
        items = {i.image_id: i for i in WorklistItem.objects.filter(image__in=numbers)}
        films = {row.image.pk: row for row in rows_of(items.values(), user=self.user)}
        return [
            LabelRow(w, films[w.image], self.conclusions[w.image]) for w in page if w.image in films
        ]


@dataclass(frozen=True, slots=True)
class _Film:
    image: int
    run: int
    version: int
    machine: int | None
    conclusion: str


def label_next(*, user: User, filters: Mapping[str, str] | None = None) -> LabelList:
    """Films to label next, the most telling first.

    Films of the newest exported set are left out unless a later reading of them is there.

    Args:
        user: who asks.
        filters: `why` (a value of `Why`), `device` (id); anything else and unusable values are
            ignored, as an old bookmark must still open.
    """
    filters = filters or {}
    films = _films()
    found = _wanted(films[:LOOKED_AT])
    machine_of = {film.image: film.machine for film in films}
    machines = _machines({machine_of[w.image] for w in found})
    chosen = filters.get("device", "")
    if chosen.isascii() and chosen.isdecimal() and len(chosen) < 19:
        found = [w for w in found if machine_of[w.image] == int(chosen)]
    counts = {"": len(found)} | {str(why): sum(why in w.kinds for w in found) for why in Why}
    why = filters.get("why", "")
    if why in set(Why):
        found = [w for w in found if why in w.kinds]
    return LabelList(
        wanted=labelling.in_order(found),
        counts=counts,
        machines=machines,
        cut=len(films) > LOOKED_AT,
        as_of=timezone.now(),
        user=user,
        conclusions={film.image: film.conclusion for film in films},
    )


def _films() -> list[_Film]:
    """The newest films that could be wanted, one more than are looked at."""
    rows = _items()[: LOOKED_AT + 1].values_list(
        "image_id", "run_id", "run__version_id", "image__device_id", "image__signature__conclusion"
    )
    return [
        _Film(image, run, version, machine, conclusion or "")
        for image, run, version, machine, conclusion in rows
    ]


def _items() -> QuerySet[WorklistItem]:
    corrected = Review.objects.filter(image=OuterRef("image"), withdrawn_at=None).exclude(
        verdict=Verdict.ACCEPT
    )
    against = Q(image__signature__conclusion=Conclusion.NORMAL, flagged=True) | Q(
        image__signature__conclusion=Conclusion.ABNORMAL, flagged=False
    )
    items = WorklistItem.objects.filter(run_state=RunState.DONE).filter(
        Q(signed=False) | against | Exists(corrected)
    )
    latest = latest_dataset()
    if latest is not None:
        inside = DatasetItem.objects.filter(version=latest, image=OuterRef("image"))
        items = items.filter(~Exists(inside) | Q(run__finished_at__gt=latest.created_at))
    return items.order_by("-image_id")


def _wanted(films: list[_Film]) -> list[Wanted]:
    scores: dict[int, dict[str, float]] = {}
    # the newest films again as a subquery: thousands of numbers are too many to send
    runs = _items()[:LOOKED_AT].values("run_id")
    best = Finding.objects.filter(run_id__in=runs).order_by().values_list("run_id", "label")
    for run, label, score in best.annotate(best=Max("score")):
        scores.setdefault(run, {})[label] = score
    verdicts: dict[int, dict[object, str]] = {}
    said = Review.objects.filter(withdrawn_at=None).filter(
        image_id__in=_items()[:LOOKED_AT].values("image_id")
    )
    for image, finding, pk, verdict in said.order_by("at", "id").values_list(
        "image_id", "finding_id", "id", "verdict"
    ):
        verdicts.setdefault(image, {})[finding or ("added", pk)] = verdict
    thresholds = dict(DetectorVersion.objects.values_list("id", "thresholds"))
    signed = dict(
        Signature.objects.exclude(conclusion=Conclusion.NOT_READABLE)
        .filter(image__device__isnull=False)
        .order_by()
        .values_list("image__device_id")
        .annotate(films=Count("id"))
    )
    found = (
        labelling.wanted(
            labelling.Facts(
                image=film.image,
                scores=scores.get(film.run, {}),
                thresholds=thresholds[film.version],
                verdicts=frozenset(verdicts.get(film.image, {}).values()),
                conclusion=film.conclusion,
                machine_signed=None if film.machine is None else signed.get(film.machine, 0),
            )
        )
        for film in films
    )
    return [w for w in found if w is not None]


def _machines(numbers: set[int | None]) -> tuple[Device, ...]:
    return tuple(
        Device.objects.filter(pk__in=[pk for pk in numbers if pk is not None]).order_by(
            "name", "pk"
        )
    )
