"""Who is told of a happening, and how: settings, roles and scopes, without a query a happening."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from accounts.models import User
from accounts.permissions import TABLE, Can, Role, may
from devices.notice_kinds import Happening, Kind, Way
from devices.quiet_hours import next_moment
from devices.services.channels import has_mail_server

from .models import NoticeSettings, Scope

DEFAULT_AHEAD = (7, 1)
ROLES = [role for role, can in TABLE.items() if Can.MAINTENANCE_READ in can]


def defaults_for(user: User) -> NoticeSettings:
    """What holds for a person who chose nothing; not saved."""
    scope = Scope.ALL if user.role == Role.ADMIN else Scope.MINE
    return NoticeSettings(user=user, ahead=list(DEFAULT_AHEAD), scope=scope)


@dataclass(frozen=True, slots=True)
class Person:
    """One who may be told."""

    user: User
    settings: NoticeSettings

    def chosen(self, kind: Kind) -> Way:
        """How they want to hear of a kind, or have to."""
        default = Way(kind.defaults.get(Role(self.user.role), Way.OFF))
        given = self.settings.ways.get(kind.key)
        way = Way(given) if given in Way.values else default
        if way == Way.OFF and self.user.role in kind.always:
            return default if default != Way.OFF else Way.IN_APP
        return way

    def way(self, kind: Kind) -> Way:
        """How they hear of it: not at all without the right; no e-mail where none can be sent."""
        if not may(self.user, kind.needs):
            return Way.OFF
        way = self.chosen(kind)
        if way == Way.EMAIL and not (self.user.email and has_mail_server()):
            return Way.IN_APP
        return way

    def watches(self, room: str) -> bool:
        """Whether they want to hear of machines in this room that don't concern them by name."""
        if self.settings.scope == Scope.ROOMS:
            return room in self.settings.rooms
        return self.settings.scope == Scope.ALL

    def has_duty(self, kind: Kind, room: str) -> bool:
        """What nobody has in hand goes to whose duty it is.

        Engineers hear of it who watch its room or all; admins always, but of their rooms alone
        where they chose rooms and it isn't urgent.
        """
        if kind.duty is None or not may(self.user, kind.duty):
            return False
        if kind.urgent:
            return True
        if self.settings.scope == Scope.MINE:
            return may(self.user, Can.MAINTENANCE_PLAN)
        return self.watches(room)

    def next_moment(self, at: datetime, *, urgent: bool) -> datetime:
        """When an e-mail may be sent."""
        mine = self.settings
        if urgent and mine.urgent_passes:
            return at
        zone = timezone.get_default_timezone()
        return next_moment(at, mine.quiet_from, mine.quiet_to, zone, mine.quiet_days)


class People:
    """Those who may be told, found by what concerns them."""

    def __init__(self, people: Iterable[Person]) -> None:
        self.by_pk = {each.user.pk: each for each in people}
        self.ahead = frozenset(days for each in self.by_pk.values() for days in each.settings.ahead)

    def told(self, kind: Kind, happenings: Iterable[Happening]) -> Iterator[Addressed]:
        """Each happening with each person who hears of it."""
        ways = {pk: each.way(kind) for pk, each in self.by_pk.items()}
        hearing = [each for pk, each in self.by_pk.items() if ways[pk] != Way.OFF]
        around: dict[str, list[Person]] = defaultdict(list)
        rooms: set[str] = set()
        for happening in happenings:
            room = happening.room
            if room not in rooms:
                rooms.add(room)
                around[room] = [
                    each
                    for each in hearing
                    if each.has_duty(kind, room) or (kind.watched and each.watches(room))
                ]
            named = dict.fromkeys(happening.people)
            for pk in named:
                person = self.by_pk.get(pk)
                if person and ways[pk] != Way.OFF and _wants(person, happening):
                    yield Addressed(happening, person, ways[pk], by_name=True)
            for person in around[room]:
                pk = person.user.pk
                if pk not in named and pk not in happening.but and _wants(person, happening):
                    yield Addressed(happening, person, ways[pk], by_name=False)


def _wants(person: Person, happening: Happening) -> bool:
    return happening.ahead is None or happening.ahead in person.settings.ahead


@dataclass(frozen=True, slots=True)
class Addressed:
    """One happening to one person."""

    happening: Happening
    person: Person
    way: Way
    by_name: bool


def everybody() -> People:
    """All active accounts whose role may be told, in two queries."""
    users = User.objects.filter(is_active=True, role__in=ROLES).order_by("pk")
    known = {row.user_id: row for row in NoticeSettings.objects.filter(user__in=users)}
    return People(Person(user, known.get(user.pk) or defaults_for(user)) for user in users)


def person(user: User) -> Person:
    """One of them, with what they chose or the role's defaults."""
    found = NoticeSettings.objects.filter(user=user).first()
    return Person(user, found or defaults_for(user))
