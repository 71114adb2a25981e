"""The worklist: which films wait, most urgent first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Page, Paginator
from django.db.models import Case, Count, F, Min, Q, QuerySet, Value, When
from django.db.models.expressions import Combinable
from django.utils import timezone

from accounts.models import User
from detection import blinding, priority, room
from detection.blinding import Sight
from detection.models import (
    Claim,
    Finding,
    Label,
    RunState,
    Trust,
    WorklistItem,
)
from imaging.models import Image

from .worklist_row import WorklistRow, row_of

# chip in the address -> which open films; the empty one is the page's own view
SHOW: dict[str, str] = {
    "": "films that need a reader now",
    "flagged": "flagged by the detector",
    "unread": "the detector could not read them, or the machine can't be trusted",
    "gate": "the image gate let none of them through to the detector",
    "overdue": "waited past the ceiling",
    "mine": "claimed by me",
    "all": "every film without a signature",
}
# chips that say what the model said: a film that hides it from the reader stands under none
_TELLING = frozenset({"flagged", "unread", "gate"})
_OLD_NAMES = {"second_look": "unread"}  # addresses of before; a release later they go
ORDERINGS: dict[str, tuple[str, ...]] = {
    "priority": ("-urgent", "pk"),
    "-priority": ("urgent", "-pk"),
    "waiting_since": ("waiting_since", "pk"),
    "-waiting_since": ("-waiting_since", "-pk"),
    "score": ("score", "pk"),
    "-score": (F("score").desc(nulls_last=True), "pk"),  # type: ignore[dict-item]
    "patient": ("image__series__study__patient__identifier", "pk"),
    "-patient": ("-image__series__study__patient__identifier", "-pk"),
    "device": ("image__device__name", "pk"),
    "-device": ("-image__device__name", "-pk"),
}
_RELATED = (
    "image__series__study__patient",
    "image__device",
    "image__claim__by",
    "run__version",
)


@dataclass(frozen=True, slots=True)
class WorklistPage:
    """One page of rows, with what stands around the table.

    Attributes:
        page: Django's page; its `object_list` is `rows`.
        counts: chip (see `SHOW`; `""` is the page's own view) to number of open films.
        oldest_since: since when the longest waiting open film waits; `None` if nothing waits.
        reading_now: how many films the detector is reading.
        as_of: when this was read.
        ceiling: past which no later film overtakes.
    """

    rows: tuple[WorklistRow, ...]
    page: Page[Any]
    counts: dict[str, int]
    oldest_since: datetime | None
    reading_now: int
    as_of: datetime
    ceiling: timedelta


def worklist(
    *,
    user: User,
    filters: Mapping[str, str] | None = None,
    ordering: str = "",
    page: int | str = 1,
    page_size: int = 50,
    only: QuerySet[Any] | None = None,
    leave_out: QuerySet[Any] | None = None,
    uncounted: QuerySet[Any] | None = None,
    now: datetime | None = None,
) -> WorklistPage:
    """What to read next, most urgent first.

    Args:
        user: the reader who asks (for `mine`).
        filters: `show` (a key of `SHOW`), `device` (id), `trust`, `label`, `patient` (id);
            anything else and unusable values are ignored, as an old bookmark must still open.
        ordering: a key of `ORDERINGS`; anything else is `priority`.
        page: from 1; beyond the end gives the last page.
        page_size: rows of a page.
        only: numbers of films, as a subquery, that a room above knows of; no others.
        leave_out: the same, without these.
        uncounted: the same, left out of the counts of all chips.
        now: for tests.
    """
    now, ceiling, sight = now or timezone.now(), room.ceiling(), blinding.sight(user)
    items = worklist_items(
        user=user, filters=filters, ordering=ordering, now=now, ceiling=ceiling, sight=sight
    )
    items = _within(items, only, leave_out)
    found = Paginator(items, page_size).get_page(page)
    rows = rows_of(found.object_list, user=user, now=now, ceiling=ceiling, sight=sight)
    found.object_list = rows  # type: ignore[assignment]
    counts, oldest, reading = _around(user, now, ceiling, sight, uncounted)
    return WorklistPage(
        rows=tuple(rows),
        page=found,
        counts=counts,
        oldest_since=oldest,
        reading_now=reading,
        as_of=now,
        ceiling=ceiling,
    )


def worklist_items(
    *,
    user: User,
    filters: Mapping[str, str] | None = None,
    ordering: str = "",
    now: datetime | None = None,
    ceiling: timedelta | None = None,
    sight: Sight | None = None,
) -> QuerySet[WorklistItem]:
    """The open films behind a worklist page, in order; nothing is joined, so sorting stays cheap.

    `rows_of` joins what a row needs, for the films of one page. To a reader who must not know yet
    what the model said, no filter and no column to sort by tells it; the usual order may. Without
    a `ceiling` that of the house is asked for.
    """
    now, ceiling = now or timezone.now(), ceiling or room.ceiling()
    filters = filters or {}
    sight = sight or blinding.sight(user)
    items = WorklistItem.objects.filter(signed=False)
    show = filters.get("show", "")
    show = _OLD_NAMES.get(show, show)
    items = items.filter(_shown(show if show in SHOW else "", user, now, ceiling, sight))
    for name, lookup in (("device", "image__device_id"), ("patient", _PATIENT)):
        value = filters.get(name, "")
        if value.isascii() and value.isdecimal() and len(value) < 19:
            items = items.filter(**{lookup: int(value)})
    for name, known in (("trust", Trust.values), ("label", Label.values)):
        if filters.get(name) in known:
            items = items.filter(**{name: filters[name]})
            if name == "label" and sight.read is not None:
                items = items.filter(image_id__in=sight.read)
    if sight.blinded and ordering.removeprefix("-") == "score":
        ordering = "priority"
    return items.annotate(urgent=_urgent(now, ceiling)).order_by(
        *ORDERINGS.get(ordering, ORDERINGS["priority"])
    )


def rows_of(
    items: Iterable[WorklistItem],
    *,
    user: User,
    now: datetime | None = None,
    ceiling: timedelta | None = None,
    sight: Sight | None = None,
) -> list[WorklistRow]:
    """Rows for the given items, in their order, in four queries at most."""
    now, ceiling = now or timezone.now(), ceiling or room.ceiling()
    sight = sight or blinding.sight(user)
    wanted = [i.pk for i in items]
    joined = WorklistItem.objects.select_related(*_RELATED).in_bulk(wanted)
    items = [joined[pk] for pk in wanted if pk in joined]
    hides = sight.hidden(i.image_id for i in items)
    findings: dict[int, list[Finding]] = {}
    runs = [
        i.run_id
        for i in items
        if i.run_id and i.run_state == RunState.DONE and i.image_id not in hides
    ]
    for finding in Finding.objects.filter(run_id__in=runs):
        findings.setdefault(finding.run_id, []).append(finding)
    return [
        row_of(i, findings.get(i.run_id or 0, []), user, now, ceiling, hidden=i.image_id in hides)
        for i in items
    ]


def next_image(
    *,
    user: User,
    after: int | None = None,
    leave_out: QuerySet[Any] | None = None,
    now: datetime | None = None,
    ceiling: timedelta | None = None,
) -> Image | None:
    """The most urgent film that needs a reader and that no other reader holds.

    Args:
        user: who asks.
        after: a film to leave out (the one just signed or looked at).
        leave_out: numbers of more films to leave out, as a subquery.
        now: for tests.
        ceiling: of the house; asked for where it isn't given.
    """
    now = now or timezone.now()
    held = Claim.objects.filter(until__gt=now).exclude(by=user).values("image_id")
    items = worklist_items(user=user, now=now, ceiling=ceiling).exclude(image_id__in=held)
    items = _within(items, None, leave_out)
    if after is not None:
        items = items.exclude(image_id=after)
    item = items.first()
    return item.image if item else None


def _within(
    items: QuerySet[WorklistItem], only: QuerySet[Any] | None, leave_out: QuerySet[Any] | None
) -> QuerySet[WorklistItem]:
    if only is not None:
        items = items.filter(image_id__in=only)
    return items if leave_out is None else items.exclude(image_id__in=leave_out)


_PATIENT = "image__series__study__patient_id"


def _urgent(now: datetime, ceiling: timedelta) -> Combinable:
    """`priority.urgency` without the clock that all films share."""
    past = Case(
        When(waiting_since__lte=now - ceiling, then=Value(priority.LIFT)), default=F("head_start")
    )
    asked = Case(When(urgency="high", then=Value(priority.LIFT)), default=Value(0.0))
    return F("rank") + Value(ceiling / timedelta(hours=1)) * (past + asked)


def _shown(show: str, user: User, now: datetime, ceiling: timedelta, sight: Sight) -> Q:
    overdue = Q(waiting_since__lte=now - ceiling)
    if sight.blinded and show == "":
        return Q()  # to stand on the short list is what the model said
    chosen = {
        "": Q(needs_reader=True) | overdue,
        "flagged": Q(flagged=True),
        "unread": Q(run_state__in=["failed", "refused", ""]) | Q(trust="reduced"),
        "gate": Q(run_state="refused") & ~Q(run__gate_code=""),
        "overdue": overdue,
        "mine": Q(image__claim__by=user, image__claim__until__gt=now),
        "all": Q(),
    }[show]
    if sight.read is None or show not in _TELLING:
        return chosen
    return chosen & Q(image_id__in=sight.read)


def _around(
    user: User,
    now: datetime,
    ceiling: timedelta,
    sight: Sight,
    uncounted: QuerySet[Any] | None,
) -> tuple[dict[str, int], datetime | None, int]:
    open_items = _within(WorklistItem.objects.filter(signed=False), None, uncounted)

    def shown(show: str) -> Q:
        return _shown(show, user, now, ceiling, sight)

    plain = [key for key in SHOW if key not in {"all", "mine"}]
    found = open_items.aggregate(
        n_all=Count("pk"),
        oldest=Min("waiting_since", filter=shown("")),
        reading=Count("pk", filter=Q(run_state=RunState.RUNNING)),
        **{f"n_{key}": Count("pk", filter=shown(key)) for key in plain},
    )
    # from the claims' side: few, where joining them to each film would cost most of the page
    found["n_mine"] = open_items.filter(shown("mine")).count()
    return {key: found[f"n_{key}"] for key in SHOW}, found["oldest"], found["reading"]
