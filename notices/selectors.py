"""Reads of notices: a person's own, what the digest holds, what would have been told."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import QuerySet

from accounts.models import User
from accounts.permissions import may
from devices.notice_kinds import Kind, Section, Told, Way, kinds
from devices.notice_kinds import kind as kind_of

from . import people as people_of
from .models import ALERTING, Digest, Notice, NoticeSettings
from .people import Addressed, People, Person
from .spans import span

WEEK = timedelta(days=7)


def kinds_for(user: User) -> list[Kind]:
    """Those that the person may be told of."""
    return [kind for kind in kinds() if may(user, kind.needs)]


def lines(user: User) -> QuerySet[Notice]:
    """What the person was told and may still see, newest first."""
    keys = [kind.key for kind in kinds_for(user)]
    return Notice.objects.filter(user=user, kind__in=keys).order_by("-told_at", "-pk")


def unread(user: User) -> QuerySet[Notice]:
    """What counts behind the bell: told as more than a digest, not read, and still true."""
    return lines(user).filter(way__in=ALERTING, read_at=None, ended_at=None)


@dataclass(frozen=True, slots=True)
class NoticeFilter:
    """What the list can be narrowed by; empty means all."""

    show: str = ""  # `unread`, `over`
    kind: str = ""

    def rows(self, user: User) -> QuerySet[Notice]:
        """The rows, with their e-mails."""
        found = unread(user) if self.show == "unread" else lines(user)
        if self.show == "over":
            found = found.exclude(ended_at=None)
        if self.kind:
            found = found.filter(kind=self.kind)
        return found.select_related("message")


@dataclass(frozen=True, slots=True)
class Part:
    """One section of a digest."""

    section: Section
    notices: list[Notice]


@dataclass(frozen=True, slots=True)
class DigestText:
    """What a digest says."""

    person: Person
    since: datetime
    until: datetime
    parts: list[Part]

    @property
    def count(self) -> int:
        """Lines in all."""
        return sum(len(part.notices) for part in self.parts)


def still_true(notices: list[Notice], now: datetime) -> dict[int, str]:
    """Why some of them are over, by number: one or two queries a kind."""
    by_kind: dict[str, list[Told]] = defaultdict(list)
    found: dict[int, str] = {}
    for row in notices:
        by_kind[row.kind].append(Told(row.pk, row.subject, row.occasion, row.user_id, row.by_name))
    base = span(now, now)
    for key, told in by_kind.items():
        kind = kind_of(key)
        if kind is None:
            found |= dict.fromkeys((each.id for each in told), "nobody tells of this any more")
        else:
            found |= kind.over(told, base)
    return found


def digest_of(person: Person, *, since: datetime, until: datetime, now: datetime) -> DigestText:
    """What stands now of what lasts, and what changed in a span.

    Args:
        person: whose; kinds that they switched off are left out.
        since: changes told after this moment,
        until: up to this one.
        now: what is over by now is left out.
    """
    wanted = {kind.key: kind for kind in kinds() if person.way(kind) != Way.OFF}
    lasting = [key for key, kind in wanted.items() if kind.lasting]
    once = [key for key, kind in wanted.items() if not kind.lasting]
    mine = Notice.objects.filter(user=person.user, ended_at=None)
    rows = [
        # occasions begin with the due date or the moment: the most urgent first
        *mine.filter(kind__in=lasting).order_by("occasion", "pk"),
        *mine.filter(kind__in=once, told_at__gt=since, told_at__lte=until).order_by("at", "pk"),
    ]
    over = still_true(rows, now)
    by_section: dict[Section, dict[str, Notice]] = {section: {} for section in Section}
    for row in rows:
        kind = wanted[row.kind]
        if row.pk not in over:
            # an order that is overdue and escalated is one line
            place = row.path if kind.lasting else str(row.pk)
            by_section[kind.section][place] = row
    parts = [Part(section, list(found.values())) for section, found in by_section.items() if found]
    return DigestText(person, since, until, parts)


def digest_now(user: User, now: datetime) -> DigestText:
    """The page: changes since the last digest, or of a day where there was none."""
    last = Digest.objects.filter(user=user).order_by("-until").values_list("until", flat=True)
    since = last.first() or now - timedelta(days=1)
    return digest_of(people_of.person(user), since=since, until=now, now=now)


def preview(
    settings: NoticeSettings, *, now: datetime, back: timedelta = WEEK
) -> list[tuple[Kind, Addressed]]:
    """What a person with these settings would have been told, newest first.

    Of orders as they are now: a date that was moved meanwhile counts as it stands.
    """
    people = People([Person(settings.user, settings)])
    looked = span(now - back, now, people.ahead)
    found = [
        (kind, each)
        for kind in kinds_for(settings.user)
        for each in people.told(kind, kind.happened(looked))
    ]
    return sorted(found, key=lambda pair: pair[1].happening.at, reverse=True)
