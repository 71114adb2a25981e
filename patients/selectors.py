"""Reads of patients and their observations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Count, F, Q, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils import timezone

from twinhealth.errors import NotFoundError
from twinhealth.web.ucum import unit_text

from .codes import BY_CODE, KINDS, Kind, Lane
from .models import Observation, Patient

PAGE = 50
# more points than pixels help nobody, and the page must stay light
MAX_POINTS = 5_000
ORDERINGS = {"identifier": "identifier", "name": "name", "created": "created_at"}
PERIODS = {"2": 2, "7": 7, "30": 30, "365": 365, "all": None}
DEFAULT_PERIOD = "30"
_CLOSE_PERIODS = ("2", "7", "30")
_ENOUGH_POINTS = 8  # a lane or two that are worth looking at


def patient(pk: int) -> Patient:
    """One patient.

    Raises:
        NotFoundError: `patient_not_found`.
    """
    found = Patient.objects.filter(pk=pk).first()
    if found is None:
        raise NotFoundError("patient_not_found", "There is no such patient.")
    return found


def patients(
    *, q: str = "", identifier: str = "", synthetic: str = "", ordering: str = ""
) -> QuerySet[Patient]:
    """Patients, filtered and sorted; unknown filter values are ignored.

    Args:
        q: beginning of the number, or words of the name in any order.
        identifier: the whole number.
        synthetic: `yes` or `no`.
        ordering: a key of `ORDERINGS`, `-` in front for descending.
    """
    found = Patient.objects.all()
    if identifier:
        found = found.filter(identifier=identifier)
    if q:
        by_name = Q()
        for word in q.replace("^", " ").split():
            by_name &= Q(name__icontains=word)
        found = found.filter(Q(identifier__istartswith=q) | by_name)
    if synthetic in {"yes", "no"}:
        found = found.filter(is_synthetic=synthetic == "yes")
    field = ORDERINGS.get(ordering.removeprefix("-"), "identifier")
    return found.order_by(f"{'-' if ordering.startswith('-') else ''}{field}", "pk")


def age(born: date | None, on: date) -> int | None:
    """Whole years; `None` where the birth date is unknown or later than the day asked for."""
    if born is None or born > on:
        return None
    return on.year - born.year - ((on.month, on.day) < (born.month, born.day))


@dataclass(frozen=True, slots=True)
class Latest:
    """The newest value of one kind."""

    kind: Kind
    observation: Observation


def latest_values(patient_id: int) -> list[Latest]:
    """The newest value of each kind that has one, in the table's order; one query."""
    newest = Window(
        RowNumber(),
        partition_by=F("code"),
        order_by=[F("effective_at").desc(), F("received_at").desc(), F("id").desc()],
    )
    rows = (
        Observation.objects.filter(patient_id=patient_id, struck_at=None, code__in=BY_CODE)
        .annotate(rank=newest)
        .filter(rank=1)
    )
    by_code = {row.code: row for row in rows}
    return [Latest(kind, by_code[kind.code]) for kind in KINDS if kind.code in by_code]


def fitting_period(patient_id: int, *, now: datetime | None = None) -> str:
    """The shortest of 48 h, 7 d and 30 d with enough points to look at; one query."""
    now = now or timezone.now()
    drawn = Observation.objects.filter(
        patient_id=patient_id, struck_at=None, code__in=BY_CODE, effective_at__lte=now
    )
    counts = drawn.aggregate(
        **{
            f"within_{key}": Count("pk", filter=Q(effective_at__gte=now - timedelta(days=int(key))))
            for key in _CLOSE_PERIODS
        }
    )
    for key in _CLOSE_PERIODS:
        if counts[f"within_{key}"] >= _ENOUGH_POINTS:
            return key
    return DEFAULT_PERIOD


@dataclass(frozen=True, slots=True)
class Lanes:
    """What the charts draw."""

    groups: list[dict[str, Any]]  # [{"lane", "series": [{"code", "name", "unit", "points"}]}]
    start: datetime | None
    end: datetime
    cut: bool  # older points of the period are left out


def lanes(patient_id: int, *, period: str, now: datetime | None = None) -> Lanes:
    """Points of a period as `[seconds since 1970, value]`, oldest first, grouped in lanes."""
    now = now or timezone.now()
    days = PERIODS.get(period, PERIODS[DEFAULT_PERIOD])
    found = Observation.objects.filter(patient_id=patient_id, struck_at=None, code__in=BY_CODE)
    if days is not None:
        found = found.filter(effective_at__gte=now - timedelta(days=days))
    rows = list(
        found.order_by("-effective_at", "-id").values_list("code", "effective_at", "value")[
            : MAX_POINTS + 1
        ]
    )
    points: dict[str, list[tuple[float, float]]] = {}
    for code, at, value in reversed(rows[:MAX_POINTS]):
        points.setdefault(code, []).append((at.timestamp(), float(value)))
    groups = [
        {
            "lane": lane.value,
            "series": [
                {
                    "code": kind.code,
                    "name": kind.name,
                    "unit": unit_text(kind.unit),
                    "decimals": kind.decimals,
                    "points": points[kind.code],
                }
                for kind in KINDS
                if kind.lane is lane and kind.code in points
            ],
        }
        for lane in Lane
    ]
    start = now - timedelta(days=days) if days is not None else (rows[-1][1] if rows else None)
    return Lanes(
        groups=[group for group in groups if group["series"]],
        start=start,
        end=now,
        cut=len(rows) > MAX_POINTS,
    )


def history(patient_id: int, *, code: str = "") -> QuerySet[Observation]:
    """All values, struck ones too, newest first."""
    found = Observation.objects.filter(patient_id=patient_id).select_related("entered_by")
    if code in BY_CODE:
        found = found.filter(code=code)
    return found.order_by("-effective_at", "-id")


def timeline_observations(
    patient_id: int, *, below: Q | None = None, limit: int = PAGE
) -> Sequence[Observation]:
    """Values that are not struck out, newest first.

    Args:
        patient_id: whose.
        below: where the page begins, as a condition on `effective_at` and `id`.
        limit: rows.
    """
    found = history(patient_id).filter(struck_at=None)
    if below is not None:
        found = found.filter(below)
    return list(found[:limit])
