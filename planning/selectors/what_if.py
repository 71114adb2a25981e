"""Scenarios, kept or thought of now, and a machine's loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from django.db.models import QuerySet
from django.utils import timezone

from devices.models import Device, Downtime, Spare
from devices.models.device import Lifecycle
from devices.models.maintenance import Extent
from planning import loss, results, scenario
from planning.assumptions import Assumptions
from planning.book import Book
from planning.changes import Change
from planning.models import Scenario, Suggestion
from planning.simulation.inputs import WEEK
from twinhealth.errors import InvalidInputError, NotFoundError

from . import exams, hospital, machines

MOST_COMPARED = 4
LOSS_DAYS = 3
MOST_LOSS_DAYS = 14


def what_if(
    changes: Sequence[Change], given: Assumptions, *, now: datetime
) -> tuple[Book, dict[str, Any]]:
    """The scenario simulated beside the present."""
    book = hospital.book(given, now=now)
    return book, results.of_scenario(book, scenario.run(book, changes))


def present(given: Assumptions, *, now: datetime) -> Book:
    """The hospital as it is."""
    return hospital.book(given, now=now)


def described(book: Book, change: Change) -> str:
    """A change in words."""
    return scenario.described(book, change)


def scenarios() -> QuerySet[Scenario]:
    """Those kept, newest first."""
    return Scenario.objects.select_related("made_by", "applied_by")


def scenario_or_error(pk: int) -> Scenario:
    """One of them.

    Raises:
        NotFoundError: `scenario_not_found`.
    """
    found = scenarios().filter(pk=pk).first()
    if found is None:
        raise NotFoundError("scenario_not_found", "There is no such scenario.")
    return found


def latest_suggestion() -> Suggestion | None:
    """The newest."""
    return Suggestion.objects.select_related("made_by").first()


def suggestion_or_error(pk: int) -> Suggestion:
    """One of them.

    Raises:
        NotFoundError: `suggestion_not_found`.
    """
    found = Suggestion.objects.select_related("made_by").filter(pk=pk).first()
    if found is None:
        raise NotFoundError("suggestion_not_found", "There is no such suggestion any more.")
    return found


@dataclass(frozen=True, slots=True)
class LostHour:
    """One hour of the hospital's clock."""

    at: datetime
    wanted: float
    taken: list[tuple[Device, float]]
    left: float


@dataclass(frozen=True, slots=True)
class Loss:
    """A machine lost from now on.

    Attributes:
        known: whether its exams by hour are known at all.
        unknown: machines of its group of which they aren't; they take nothing.
        absorbers: (machine, exams it takes in all), most first.
    """

    device: Device
    start: datetime
    end: datetime
    known: bool
    hours: list[LostHour] = field(default_factory=list)
    absorbers: list[tuple[Device, float]] = field(default_factory=list)
    unknown: list[Device] = field(default_factory=list)
    down: list[Device] = field(default_factory=list)

    @property
    def wanted(self) -> float:
        """Exams expected of it."""
        return sum(each.wanted for each in self.hours)

    @property
    def left(self) -> float:
        """Of those, displaced."""
        return sum(each.left for each in self.hours)

    @property
    def absorbed(self) -> float:
        """Of those, done by others."""
        return self.wanted - self.left

    @property
    def days(self) -> list[tuple[date, list[LostHour]]]:
        """Hours by day."""
        found: dict[date, list[LostHour]] = {}
        for each in self.hours:
            found.setdefault(timezone.localdate(each.at), []).append(each)
        return list(found.items())


def days_asked(text: str) -> int:
    """`?days=`, 1 to 14.

    Raises:
        InvalidInputError: `days_out_of_range`.
    """
    if not text.strip():
        return LOSS_DAYS
    if not (text.isascii() and text.isdecimal()) or not 1 <= int(text[:4]) <= MOST_LOSS_DAYS:
        raise InvalidInputError(
            "days_out_of_range", f"days is 1 to {MOST_LOSS_DAYS}.", limit=MOST_LOSS_DAYS
        )
    return int(text)


def machine_loss(device: Device, *, days: int, now: datetime) -> Loss:
    """Who takes its exams over, hour by hour; five queries.

    Args:
        device: the machine.
        days: until it returns.
        now: from the beginning of this hour on.
    """
    start = timezone.localtime(now).replace(minute=0, second=0, microsecond=0)
    devices = list(
        Device.objects.filter(lifecycle=Lifecycle.IN_SERVICE).select_related("model").order_by("pk")
    )
    if all(each.pk != device.pk for each in devices):
        devices.append(device)
    place = next(n for n, each in enumerate(devices) if each.pk == device.pk)
    group = machines.groups(devices)
    same = [n for n in range(len(devices)) if n != place and group[n] == group[place]]
    usual = exams.per_hour_of_week([devices[n].pk for n in (*same, place)], now=now)
    end = start + timedelta(days=days)
    if device.pk not in usual:
        return Loss(device, start, end, known=False)
    away = set(
        Downtime.objects.filter(
            device__in=[devices[n].pk for n in same], ends_at=None, extent=Extent.FULL
        ).values_list("device", flat=True)
    )
    spares = set(Spare.objects.filter(device=device).values_list("spare", flat=True))
    load = np.array([usual.get(each.pk, np.zeros(WEEK)) for each in devices])
    found = loss.hours(
        load,
        place,
        [n for n in same if devices[n].pk not in away],
        [n for n in same if devices[n].pk in spares],
        first=start.weekday() * 24 + start.hour,
        count=days * 24,
    )
    return Loss(
        device=device,
        start=start,
        end=end,
        known=True,
        hours=[
            LostHour(
                # hours of the clock: on the two days on which it changes one is off
                start + timedelta(hours=each.number),
                each.wanted,
                [(devices[n], count) for n, count in each.taken],
                each.left,
            )
            for each in found
        ],
        absorbers=sorted(
            ((devices[n], took) for n in same if (took := loss.total(found, n)) > 0),
            key=lambda pair: -pair[1],
        ),
        unknown=[devices[n] for n in same if devices[n].pk not in usual],
        down=[devices[n] for n in same if devices[n].pk in away],
    )
