"""Rows for the tests of notices: people, orders with dates, moments of the hospital."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from devices.models import WorkOrder
from notices.models import Notice, NoticeSettings
from notices.services import choosing
from tests.devices import factories as f
from tests.devices.maintenance_rows import make_order

DAY = timedelta(days=1)
EVERY = {
    "ahead": [7, 1], "scope": "mine", "digest": True, "digest_at": time(7), "ways": {},
}  # fmt: skip


def person(role: str = Role.ENGINEER, **fields: Any) -> User:
    """An account with an address."""
    made = f.user(role)
    made.email = f"{made.username}@hospital.example"
    made.save()
    if fields:
        choose(made, **fields)
    return made


def choose(user: User, **fields: Any) -> NoticeSettings:
    return choosing.choose(user=user, **{**EVERY, **fields})


def at(day: date, clock: str = "06:30") -> datetime:
    """That time of that day by the hospital's clock."""
    zone = timezone.get_default_timezone()
    return datetime.combine(day, time.fromisoformat(clock), tzinfo=zone)


def order(person: User | None, due: date, **fields: Any) -> WorkOrder:
    """An order that the person was given; `room` is the machine's."""
    if room := fields.pop("room", None):
        fields["device"] = f.device(location=room)
    planner = User.objects.filter(role=Role.ADMIN).order_by("pk").first() or f.user(Role.ADMIN)
    fields = {"actor": planner, "worker": planner, **fields}
    return make_order(due_on=due, assigned_to=person, **fields)


def told(user: User, **fields: Any) -> list[tuple[str, int]]:
    """Kinds and subjects told to a person and not over, oldest first."""
    rows = Notice.objects.filter(user=user, ended_at=None, **fields).order_by("told_at", "pk")
    return list(rows.values_list("kind", "subject"))
