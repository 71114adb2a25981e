"""Signed films by what the detector and the reader said, per week, version, machine or reader."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.db.models import Count, Exists, OuterRef, QuerySet, Subquery
from django.db.models.functions import TruncWeek
from django.utils import timezone

from accounts.models import User
from accounts.permissions import Can, may
from detection.models import Conclusion, DetectionRun, DetectorVersion, Finding, RunState, Signature
from detection.priority import ABNORMAL
from devices.models import Device

from .agreement import Cells, Figure, kappa, miss_rate, ppv

# what the rows are -> column head
BY: Final = {"week": "week", "version": "model version", "device": "machine", "reader": "reader"}
WEEKS: Final = 12  # that the page starts with
_FIELD: Final = {
    "week": "week",
    "version": "version_id",
    "device": "image__device_id",
    "reader": "by_id",
}
# cell of the table -> (flagged, what was signed)
CELLS: Final = {
    "hits": (True, Conclusion.ABNORMAL),
    "alarms": (True, Conclusion.NORMAL),
    "misses": (False, Conclusion.ABNORMAL),
    "passes": (False, Conclusion.NORMAL),
}


@dataclass(frozen=True, slots=True)
class Span:
    """Days in the hospital's zone, both included."""

    first: date
    last: date

    @property
    def moments(self) -> tuple[datetime, datetime]:
        """From the first midnight to the one after the last day."""
        start, end = (
            timezone.make_aware(datetime.combine(day, time.min))
            for day in (self.first, self.last + timedelta(days=1))
        )
        return start, end


@dataclass(frozen=True, slots=True)
class AgreementRow:
    """One week, version, machine or reader; `key` is empty for the sum, `-` for an unknown one."""

    key: str
    label: str
    cells: Cells
    kappa: Figure | None
    ppv: Figure | None
    miss_rate: Figure | None


@dataclass(frozen=True, slots=True)
class AgreementTable:
    """Rows in the order of a page, and their sum.

    Attributes:
        everyone: whether films of all readers count, or those of the one who asks.
        unreadable, unread: signed films that don't count: signed not readable; the detector had
            said nothing when they were signed.
    """

    rows: tuple[AgreementRow, ...]
    total: AgreementRow
    everyone: bool
    unreadable: int
    unread: int


def lately(today: date) -> Span:
    """The last `WEEKS` weeks, whole ones and the one under way."""
    monday = today - timedelta(days=today.weekday())
    return Span(monday - timedelta(weeks=WEEKS - 1), today)


def agreement_table(*, user: User, by: str, span: Span) -> AgreementTable:
    """Count and reckon, in at most five queries.

    Args:
        user: who asks; sees films that he signed, the lead those of all.
        by: a key of `BY`.
        span: when the films were signed.
    """
    signed = signed_by(user, span)
    told = _told(signed)
    field = _FIELD[by]
    counted = told.values(field, "flagged", "conclusion").annotate(films=Count("pk")).order_by()
    cells: dict[Any, dict[str, int]] = {}
    for row in counted:
        name = next(
            cell for cell, wanted in CELLS.items() if wanted == (row["flagged"], row["conclusion"])
        )
        cells.setdefault(row[field], dict.fromkeys(CELLS, 0))[name] += row["films"]
    labels = _labels(by, [key for key in cells if key is not None])
    rows = [
        _row(_key(key), labels.get(key, "unknown"), Cells(**count)) for key, count in cells.items()
    ]
    if by == "week":
        rows.sort(key=lambda row: row.key, reverse=True)
    else:
        rows.sort(key=lambda row: (-row.cells.films, row.label))
    total = Cells(*(sum(getattr(row.cells, cell) for row in rows) for cell in CELLS))
    unreadable = signed.filter(conclusion=Conclusion.NOT_READABLE).count()
    return AgreementTable(
        rows=tuple(rows),
        total=_row("", "all", total),
        everyone=may(user, Can.READERS_COMPARE),
        unreadable=unreadable,
        unread=signed.count() - unreadable - total.films,
    )


def films_of_cell(
    *, user: User, span: Span, cell: str, by: str = "", key: str = ""
) -> QuerySet[Signature]:
    """The signatures that a number counts, newest first, joined for a table.

    Args:
        user: as for `agreement_table`.
        span: as for `agreement_table`.
        cell: a key of `CELLS`.
        by: what the row is; with `key` empty the films of all rows count.
        key: of the row; one that names nothing gives no film.
    """
    flagged, conclusion = CELLS[cell]
    found = _told(signed_by(user, span)).filter(flagged=flagged, conclusion=conclusion)
    if by and key:
        found = found.filter(**_match(by, key)) if _valid(by, key) else found.none()
    return found.select_related("by", "image__series__study__patient", "image__device").order_by(
        "-at", "-id"
    )


def signed_by(user: User, span: Span) -> QuerySet[Signature]:
    """Signatures of some days that this user sees figures of: the own ones, the lead's all."""
    start, end = span.moments
    signed = Signature.objects.filter(at__gte=start, at__lt=end)
    return signed if may(user, Can.READERS_COMPARE) else signed.filter(by=user)


def _told(signed: QuerySet[Signature]) -> QuerySet[Any]:
    """Those with a word of both: what the detector had said when the reader signed."""
    return (
        flagged_then(signed)
        .exclude(conclusion=Conclusion.NOT_READABLE)
        .annotate(week=TruncWeek("at"))
        .filter(was_read=True)
    )


def flagged_then(signed: QuerySet[Signature]) -> QuerySet[Any]:
    """Each with `was_read`, `version_id` and `flagged`: the detector's word when it was signed."""
    read = DetectionRun.objects.filter(
        image=OuterRef("image"), state=RunState.DONE, finished_at__lte=OuterRef("at")
    ).order_by("-finished_at", "-pk")
    # a run keeps no finding below its version's threshold
    flags = Finding.objects.filter(run=OuterRef("run_id"), label__in=ABNORMAL)
    return signed.annotate(
        run_id=Subquery(read.values("pk")[:1]),
        version_id=Subquery(read.values("version_id")[:1]),
        was_read=Exists(read),
    ).annotate(flagged=Exists(flags))


def _row(key: str, label: str, cells: Cells) -> AgreementRow:
    return AgreementRow(key, label, cells, kappa(cells), ppv(cells), miss_rate(cells))


def _key(value: Any) -> str:
    if value is None:
        return "-"
    return timezone.localdate(value).isoformat() if isinstance(value, datetime) else str(value)


def _labels(by: str, keys: Iterable[Any]) -> dict[Any, str]:
    if by == "week":
        return {key: f"from {timezone.localdate(key):%-d %b %Y}" for key in keys}
    if by == "version":
        return dict(DetectorVersion.objects.filter(pk__in=keys).values_list("pk", "name"))
    if by == "device":
        return dict(Device.objects.filter(pk__in=keys).values_list("pk", "name"))
    return {user.pk: str(user) for user in User.objects.filter(pk__in=keys)}


def _valid(by: str, key: str) -> bool:
    if by == "week":
        try:
            return date.fromisoformat(key).weekday() == 0
        except ValueError:
            return False
    return by in BY and (key == "-" or (key.isascii() and key.isdecimal() and len(key) < 19))


def _match(by: str, key: str) -> dict[str, Any]:
    if by == "week":
        start, end = Span(
            date.fromisoformat(key), date.fromisoformat(key) + timedelta(days=6)
        ).moments
        return {"at__gte": start, "at__lt": end}
    return {f"{_FIELD[by]}__isnull": True} if key == "-" else {_FIELD[by]: int(key)}
