"""What people can be told of maintenance: rooms register kinds here, the room of notices tells.

A kind looks at its own rows and says what happened, or became due, in a span of time. Who is told,
how, and whether somebody heard it already is not its business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta, tzinfo
from typing import Final

from django.db.models import TextChoices

from accounts.permissions import Can, Role

MORNING: Final = time(6)  # when what falls on a day is told; no clock changes then
MAX_OCCASION: Final = 80


class Way(TextChoices):
    """How a person hears of a kind."""

    IN_APP = "in_app", "in the app"
    EMAIL = "email", "e-mail and in the app"
    DIGEST = "digest", "in the digest only"
    OFF = "off", "not at all"


class Section(TextChoices):
    """Where a notice stands in the digest, in this order."""

    OVERDUE = "overdue", "Overdue"
    DUE = "due", "Due now"
    COMING = "coming", "Coming"
    WAITING = "waiting", "Waiting for me"
    CHANGED = "changed", "Changed since the last digest"


@dataclass(frozen=True, slots=True)
class Span:
    """What to look at.

    Attributes:
        since: what was told of up to here; excluded.
        until: now; included.
        zone: the hospital's.
        ahead: numbers of days before a due date at which somebody wants to be told.
        escalate_days: days after the last day in time at which admins are told.
        hold_days: days on hold that are too long.
    """

    since: datetime
    until: datetime
    zone: tzinfo
    ahead: frozenset[int]
    escalate_days: int
    hold_days: int

    def morning(self, day: date) -> datetime:
        """When that day is told of."""
        return datetime.combine(day, MORNING, tzinfo=self.zone)

    def has(self, at: datetime) -> bool:
        """True if it falls into the span."""
        return self.since < at <= self.until

    def day_of(self, at: datetime) -> date:
        """The hospital's day."""
        return at.astimezone(self.zone).date()

    @property
    def days(self) -> tuple[date, date]:
        """The first and last day whose morning may fall into it."""
        return self.day_of(self.since), self.day_of(self.until)

    def before(self, day: date, numbers: Iterable[int]) -> list[tuple[int, datetime]]:
        """Mornings so many days before a day (below 0: after it) that fall into the span."""
        found = [(number, self.morning(day - timedelta(days=number))) for number in numbers]
        return [(number, at) for number, at in found if self.has(at)]

    def weekly(self, first: date) -> list[tuple[int, datetime]]:
        """Mornings of `first` and of each 7th day after it that fall into the span, numbered."""
        start, last = self.days
        number = max(0, -(-(start - first).days // 7))
        found = []
        while (day := first + timedelta(days=7 * number)) <= last:
            if self.has(at := self.morning(day)):
                found.append((number, at))
            number += 1
        return found


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing to tell.

    Attributes:
        at: when it is to be told.
        subject: number of the row that it is about.
        key: tells it from others of the kind and subject; the same whenever it is looked for.
        title: one line, plain text.
        path: the page it leads to, without the site's address.
        people: numbers of those whom it concerns by name.
        but: numbers of those who are not told although others of their role are.
        room: the machine's, for people who watch rooms.
        ahead: told only to people who want to hear so many days before.
        synthetic: made up for a demonstration.
    """

    at: datetime
    subject: int
    key: str
    title: str
    path: str
    people: tuple[int, ...] = ()
    but: tuple[int, ...] = ()
    room: str = ""
    ahead: int | None = None
    synthetic: bool = False


@dataclass(frozen=True, slots=True)
class Told:
    """A notice that was written, as `still` is asked about it.

    Attributes:
        id: of the notice.
        by_name: the person was told as one whom it concerns by name.
    """

    id: int
    subject: int
    key: str
    user_id: int
    by_name: bool


Happened = Callable[[Span], Iterable[Happening]]
# what is no longer true -> why, by the notice's number
Over = Callable[[Sequence[Told], Span], Mapping[int, str]]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of notice.

    Attributes:
        key: at most 32 characters; kept in rows, so it stays.
        label: for people: `order overdue`.
        section: of the digest.
        happened: what falls into a span, in a constant number of queries.
        over: which of these notices are no longer true, in a constant number of queries.
        defaults: how each role hears of it until a person chooses; a role left out: not at all.
        needs: who may not do this is told nothing.
        watched: people who watch the room, or all, are told too.
        duty: who may do this is told although nobody is named.
        urgent: passes quiet hours.
        always: roles that can't switch it off.
        lasting: true until it is over (an overdue order), so a look goes back some days and
            catches what was moved; else it happened once (somebody moved an order).
    """

    key: str
    label: str
    section: Section
    happened: Happened
    over: Over
    defaults: Mapping[Role, Way] = field(default_factory=dict)
    needs: Can = Can.MAINTENANCE_READ
    watched: bool = False
    duty: Can | None = None
    urgent: bool = False
    always: frozenset[str] = frozenset()
    lasting: bool = True


_kinds: dict[str, Kind] = {}


def register(kind: Kind) -> None:
    """Have a kind told; a second registration of a key takes the first one's place."""
    _kinds[kind.key] = kind


def kinds() -> list[Kind]:
    """All, in the order in which they were registered."""
    return list(_kinds.values())


def kind(key: str) -> Kind | None:
    """One of them; `None` for one that no room knows any more."""
    return _kinds.get(key)
