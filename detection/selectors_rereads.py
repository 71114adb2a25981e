"""Re-read lists: how far they are, their films, what a mark would concern.

Films of a list are signed, so nothing is hidden from a blinded reader there; of unsigned films only
their number is told, or what `detection.blinding` lets through.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, F, Prefetch, Q, QuerySet

from accounts.models import User
from accounts.permissions import Can, may
from detection import blinding
from detection.models import (
    Conclusion,
    ReRead,
    ReReadEvent,
    ReReadList,
    ReReadResult,
    ReReadState,
    ReReadWhy,
    WorklistItem,
)
from detection.services.reread_work import at_stake, concerned
from devices.models import DegradedSpan
from imaging.models import Image
from twinhealth.errors import InvalidInputError

WAITING = (ReReadState.OPEN, ReReadState.ASSIGNED)
# name in the address -> in words; the first is what a list opens with
SHOW = {
    "waiting": "to do",
    "open": "not assigned",
    "mine": "mine",
    "done": "done",
    "changed": "changed",
    "dropped": "not concerned any more",
    "all": "all",
}
WHEN = {"before": "signed before the mark", "after": "signed after the mark"}
ORDERINGS = {
    "exposed": ("exposed_at", "pk"),
    "-exposed": ("-exposed_at", "-pk"),
    "signed": ("signed_at", "pk"),
    "-signed": ("-signed_at", "-pk"),
    "state": ("state", "exposed_at", "pk"),
    "-state": ("-state", "exposed_at", "pk"),
}


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a list is; films that aren't concerned any more count nowhere else.

    Attributes:
        waiting: open and assigned ones.
        re_read: looked at again, of which `changed` with another result.
        without: done without re-reading.
    """

    open: int = 0
    assigned: int = 0
    re_read: int = 0
    changed: int = 0
    without: int = 0
    dropped: int = 0

    @property
    def waiting(self) -> int:
        """Still to be done."""
        return self.open + self.assigned

    @property
    def done(self) -> int:
        """Done, in either way."""
        return self.re_read + self.without

    @property
    def total(self) -> int:
        """Films that are on the list."""
        return self.waiting + self.done

    @property
    def text(self) -> str:
        """`37 of 120 re-read, 2 changed`."""
        words = f"{self.re_read:,} of {self.total:,} re-read, {self.changed:,} changed"
        return f"{words}, {self.without:,} done without" if self.without else words


def lists(*, device_id: int | None = None) -> QuerySet[ReReadList]:
    """Lists of standing marks first, then of withdrawn ones; the newest first."""
    chosen = Q() if device_id is None else Q(span__device=device_id)
    return (
        ReReadList.objects.filter(chosen)
        .select_related("span__device", "span__by", "span__withdrawn_by", "span__alert__rule")
        .order_by(F("span__withdrawn_at").asc(nulls_first=True), "-span__since", "-pk")
    )


def progress(found: Iterable[ReReadList]) -> dict[int, Progress]:
    """How far each list is, by its number; one query."""
    keys = [row.pk for row in found]
    counts: dict[int, dict[str, int]] = {pk: {} for pk in keys}
    rows = ReRead.objects.filter(list__in=keys).order_by()
    for pk, state, result, count in rows.values_list("list_id", "state", "result").annotate(
        n=Count("pk")
    ):
        counts[pk][f"{state}:{result}"] = count
    return {pk: _progress(said) for pk, said in counts.items()}


def _progress(said: Mapping[str, int]) -> Progress:
    def done(*results: str) -> int:
        return sum(said.get(f"{ReReadState.DONE}:{result}", 0) for result in results)

    return Progress(
        open=said.get(f"{ReReadState.OPEN}:", 0),
        assigned=said.get(f"{ReReadState.ASSIGNED}:", 0),
        re_read=done(ReReadResult.UNCHANGED, ReReadResult.CHANGED),
        changed=done(ReReadResult.CHANGED),
        without=done(ReReadResult.NOT_RE_READ),
        dropped=said.get(f"{ReReadState.DROPPED}:", 0),
    )


def items(
    found: ReReadList,
    *,
    user: User,
    show: str = "",
    why: str = "",
    when: str = "",
    assignee: str = "",
    ordering: str = "",
) -> QuerySet[ReRead]:
    """Films of a list, joined for a table; the oldest exposure first unless told.

    Args:
        found: the list, with its mark.
        user: for `mine`.
        show: a key of `SHOW`; what is to do unless told.
        why: a value of `ReReadWhy`.
        when: a key of `WHEN`.
        assignee: a username.
        ordering: a key of `ORDERINGS`.

    Raises:
        InvalidInputError: `bad_filter`.
    """
    for name, value, known in (
        ("show", show, SHOW),
        ("why", why, ReReadWhy.values),
        ("when", when, WHEN),
        ("ordering", ordering, ORDERINGS),
    ):
        if value and value not in known:
            raise InvalidInputError(
                "bad_filter", f"{name} is one of {', '.join(known)}.", allowed=list(known)
            )
    chosen = _shown(show or "waiting", user)
    if why:
        chosen &= Q(why=why)
    if when:
        at = found.span.at
        chosen &= Q(signed_at__lt=at) if when == "before" else Q(signed_at__gte=at)
    if assignee:
        chosen &= Q(assigned_to__username=assignee)
    joined = ("assigned_to", "done_by", "image__signature", "image__worklist_item")
    rows = ReRead.objects.filter(chosen, list=found).order_by(*ORDERINGS[ordering or "exposed"])
    rows = rows.select_related(*joined)
    if may(user, Can.FINDING_REVIEW):
        rows = rows.select_related("image__series__study__patient")
    return rows


def _shown(show: str, user: User) -> Q:
    return {
        "waiting": Q(state__in=WAITING),
        "open": Q(state=ReReadState.OPEN),
        "mine": Q(state__in=WAITING, assigned_to=user),
        "done": Q(state=ReReadState.DONE),
        "changed": Q(result=ReReadResult.CHANGED),
        "dropped": Q(state=ReReadState.DROPPED),
        "all": Q(),
    }[show]


def item(item_id: int) -> QuerySet[ReRead]:
    """One film with all that its page shows; two queries."""
    events = ReReadEvent.objects.select_related("by")
    joined = (
        "list__span__device", "list__span__by", "list__span__alert__rule", "assigned_to", "done_by",
        "image__signature__by", "image__worklist_item", "image__series__study__patient",
    )  # fmt: skip
    return (
        ReRead.objects.filter(pk=item_id)
        .select_related(*joined)
        .prefetch_related(Prefetch("events", events))
    )


def next_waiting(found: ReReadList, *, user: User, after: ReRead) -> ReRead | None:
    """The film to go on with: one's own or nobody's, in the order of exposure."""
    mine = ReRead.objects.filter(Q(assigned_to=user) | Q(assigned_to=None), state__in=WAITING)
    rows = mine.filter(list=found).exclude(pk=after.pk).order_by("exposed_at", "pk")
    later = Q(exposed_at__gt=after.exposed_at) | Q(exposed_at=after.exposed_at, pk__gt=after.pk)
    return rows.filter(later).first() or rows.first()


def of_film(image_id: int) -> list[ReRead]:
    """Where a film stands on lists, those of withdrawn marks left out."""
    rows = ReRead.objects.filter(image=image_id, list__span__withdrawn_at=None)
    return list(
        rows.exclude(state=ReReadState.DROPPED).select_related("list__span__device", "assigned_to")
    )


def waiting_for(user: User) -> QuerySet[ReRead]:
    """Films that this reader has to re-read: his own and nobody's."""
    theirs = Q(assigned_to=user) | Q(assigned_to=None)
    return ReRead.objects.filter(theirs, state__in=WAITING, list__span__withdrawn_at=None)


def readers() -> QuerySet[User]:
    """Those to whom a film can be given."""
    return User.objects.filter(role="clinician", is_active=True).order_by("username")


def unsigned(span: DegradedSpan) -> int:
    """How many films of the mark aren't signed: they are in the worklist anyway."""
    # by the rows of the worklist, of which an index has those that wait
    waiting = WorklistItem.objects.filter(
        signed=False, image__device=span.device_id, image__acquired_at__gte=span.since
    )
    if span.until is not None:
        waiting = waiting.filter(image__acquired_at__lt=span.until)
    return waiting.count()


@dataclass(frozen=True, slots=True)
class Concern:
    """How many films a mark concerns.

    Attributes:
        films: from this machine in the span.
        listed: signed ones with a finding or signed as normal, which are to be re-read; of them
            `negatives` signed as normal.
        unsigned: those that nobody has signed yet.
    """

    films: int
    listed: int
    negatives: int
    unsigned: int


def concern(*, device_id: int, since: datetime, until: datetime | None) -> Concern:
    """Count in one query what a mark of that span would concern."""
    within = concerned(DegradedSpan(device_id=device_id, since=since, until=until))
    counted = Image.objects.filter(within).aggregate(
        films=Count("pk"),
        listed=Count("pk", filter=at_stake()),
        negatives=Count("pk", filter=Q(signature__conclusion=Conclusion.NORMAL)),
        unsigned=Count("pk", filter=Q(signature=None)),
    )
    return Concern(**counted)


def came_from(
    *, device_id: int, since: datetime, until: datetime | None, user: User
) -> QuerySet[Image]:
    """Films of a machine since a moment with a finding, or signed as normal; oldest first.

    Unsigned ones with a finding too, as far as this reader may know of it.
    """
    within = concerned(DegradedSpan(device_id=device_id, since=since, until=until))
    found = Q(signature=None, worklist_item__flagged=True) & blinding.sight(user).shown(of="")
    return (
        Image.objects.filter(within)
        .filter(at_stake() | found)
        .select_related("signature", "worklist_item", "series__study__patient")
        .prefetch_related(
            Prefetch("re_reads", ReRead.objects.filter(list__span__withdrawn_at=None))
        )
        .order_by("acquired_at", "pk")
    )
