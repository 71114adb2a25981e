"""What machines share, and which stands in for which."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import Count, Q, QuerySet

from devices.models import AlertGroup, AlertState, Device, Supply
from devices.models.device import Lifecycle


@dataclass(frozen=True, slots=True)
class Relations:
    """Of one machine.

    Attributes:
        supplies: on which it hangs, each with the other machines on it.
        spares: which can do its work.
        stands_in_for: whose work it can do.
        room: the other machines in its room.
    """

    supplies: list[tuple[Supply, list[Device]]]
    spares: list[Device]
    stands_in_for: list[Device]
    room: list[Device]


def supplies() -> QuerySet[Supply]:
    """All, with how many machines hang on each and how many of those have an open alert."""
    return Supply.objects.annotate(
        machines=Count("members", distinct=True),
        failing=Count(
            "members__device",
            filter=Q(members__device__alerts__state=AlertState.OPEN),
            distinct=True,
        ),
    ).order_by("name")


def members(supply: Supply) -> QuerySet[Device]:
    """The machines on it."""
    return Device.objects.filter(supply_rows__supply=supply).order_by("name")


def incidents(supply: Supply) -> QuerySet[AlertGroup]:
    """Of a supply, newest first."""
    return (
        AlertGroup.objects.filter(supply=supply)
        .select_related("head__device")
        .annotate(size=Count("members"))
        .order_by("-opened_at")
    )


def of(device: Device) -> Relations:
    """What a machine's page shows; five queries."""
    mine = list(Supply.objects.filter(members__device=device).order_by("name"))
    others: dict[int, list[Device]] = {supply.pk: [] for supply in mine}
    on_same = (
        Device.objects.filter(supply_rows__supply__in=mine)
        .exclude(pk=device.pk)
        .order_by("name")
        .values_list("supply_rows__supply", "pk")
        if mine
        else ()
    )
    pairs = [(supply, pk) for supply, pk in on_same if supply in others]
    known = Device.objects.in_bulk({pk for _, pk in pairs})
    for supply, pk in pairs:
        others[supply].append(known[pk])
    in_use = Device.objects.exclude(lifecycle=Lifecycle.RETIRED).order_by("name")
    return Relations(
        supplies=[(supply, others[supply.pk]) for supply in mine],
        spares=list(in_use.filter(stands_in_rows__device=device)),
        stands_in_for=list(in_use.filter(spare_rows__spare=device)),
        room=list(in_use.filter(location=device.location).exclude(pk=device.pk))
        if device.location
        else [],
    )
