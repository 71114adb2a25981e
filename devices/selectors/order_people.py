"""Who is able to work on an order, who worked on it, and who may therefore verify it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models import F, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from devices.models import PersonSkill, SkillWaiver, WorkOrder
from devices.models.maintenance import OrderState
from devices.order_steps import OPEN
from devices.selectors_maintenance import workers
from devices.skills import Held, key, missing


def skills() -> QuerySet[PersonSkill]:
    """All skills of all people, by person."""
    return PersonSkill.objects.select_related("person", "given_by")


def wanting() -> list[tuple[str, int]]:
    """Skills that open orders ask for and nobody has today, with the number of orders."""
    asked: dict[str, tuple[str, int]] = {}
    for names in WorkOrder.objects.filter(state__in=OPEN).values_list("skills", flat=True):
        for name in names:
            first, count = asked.get(key(name), (name, 0))
            asked[key(name)] = (first, count + 1)
    today = timezone.localdate()
    there = PersonSkill.objects.filter(Q(valid_until=None) | Q(valid_until__gte=today))
    held = {key(name) for name in there.values_list("name", flat=True).distinct()}
    return sorted(found for name, found in asked.items() if name not in held)


def held_by(people: Iterable[User | int]) -> dict[int, Held]:
    """Skills by person; one query."""
    found: dict[int, dict[str, date | None]] = defaultdict(dict)
    ids = {person if isinstance(person, int) else person.pk for person in people}
    for person, name, until in PersonSkill.objects.filter(person__in=ids).values_list(
        "person_id", "name", "valid_until"
    ):
        found[person][key(name)] = until
    return dict(found)


def day_of(order: WorkOrder) -> date:
    """The day on which its skills count: the one it is scheduled for, else today, never before."""
    today = timezone.localdate()
    if order.scheduled_for is None:
        return today
    return max(today, timezone.localdate(order.scheduled_for))


def lacking(order: WorkOrder, person: User, day: date) -> list[str]:
    """What a person lacks for an order on a day; at most two queries."""
    if not order.skills:
        return []
    waived = [
        name
        for names in SkillWaiver.objects.filter(order=order, person=person).values_list(
            "skills", flat=True
        )
        for name in names
    ]
    return missing(order.skills, held_by([person]).get(person.pk, {}), day, waived)


def missing_of(orders: Iterable[WorkOrder]) -> dict[int, list[str]]:
    """By order what the person it is given to lacks; two queries, none where nothing is asked."""
    listed = [order for order in orders if order.skills and order.assigned_to_id]
    if not listed:
        return {}
    held = held_by(order.assigned_to_id or 0 for order in listed)
    waived: dict[tuple[int, int], list[str]] = defaultdict(list)
    for row in SkillWaiver.objects.filter(order__in=listed):
        waived[row.order_id, row.person_id] += row.skills
    found = {
        order.pk: missing(
            order.skills,
            held.get(order.assigned_to_id or 0, {}),
            day_of(order),
            waived[order.pk, order.assigned_to_id or 0],
        )
        for order in listed
    }
    return {pk: names for pk, names in found.items() if names}


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody who could get an order.

    Attributes:
        person: who.
        lacks: the skills that the order asks for and the person lacks.
    """

    person: User
    lacks: list[str]


def candidates(order: WorkOrder) -> list[Candidate]:
    """All who work on orders, those who are able first; two queries."""
    people = list(workers())
    held = held_by(people) if order.skills else {}
    day = day_of(order)
    found = [
        Candidate(person, missing(order.skills, held.get(person.pk, {}), day)) for person in people
    ]
    return sorted(found, key=lambda each: len(each.lacks))


def worked_on(order: WorkOrder) -> set[int]:
    """Who completed it, took part in it, answered steps, sent photos, or booked minutes."""
    moved = order.events.filter(
        to_state__in=[OrderState.IN_PROGRESS, OrderState.ON_HOLD, OrderState.DONE],
    ).exclude(from_state=F("to_state"))
    people: set[int | None] = {order.completed_by_id}
    for rows in (moved, order.answers.all(), order.files.exclude(step=None)):
        people |= set(rows.values_list("by_id", flat=True))
    people |= set(order.labour.values_list("person_id", flat=True))
    return {pk for pk in people if pk is not None}
