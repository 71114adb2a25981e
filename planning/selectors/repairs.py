"""How long repairs take: from past orders that no plan made, with a named fallback."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

import numpy as np

from devices.models import WorkOrder, WorkOrderEvent
from devices.models.maintenance import OrderState
from devices.order_steps import FINISHED
from planning.simulation.inputs import Floats

LEAST = 5  # repairs of a class; with fewer a larger class is asked
SAMPLE = 2_000
OF_MODEL = "its model"
LONGEST = 80.0  # hours of work; what took longer was forgotten to be signed
# where no class has enough: hours of work, log-normal
MEDIAN, SPREAD = 3.0, 0.8
FALLBACK = f"assumed: median {MEDIAN:g} h, nine of ten within 0.8 h to 11 h (log-normal)"


@dataclass(frozen=True, slots=True)
class Repairs:
    """Pools of hours of work, by class.

    Attributes:
        by_model, by_modality, of_house: ascending hours, where there are enough.
        waits: hours that each repair which was on hold stood still, all machines.
        count: repairs looked at.
    """

    by_model: dict[int, Floats] = field(default_factory=dict)
    by_modality: dict[str, Floats] = field(default_factory=dict)
    of_house: Floats | None = None
    waits: list[float] = field(default_factory=list)
    count: int = 0

    def pool(self, model: int, modality: str) -> tuple[Floats, str]:
        """The hours of a machine's class, and which class that is."""
        if model in self.by_model:
            return self.by_model[model], OF_MODEL
        if modality in self.by_modality:
            return self.by_modality[modality], f"all {modality} machines"
        if self.of_house is not None:
            return self.of_house, "all machines"
        return fallback(), FALLBACK


def fallback() -> Floats:
    """The assumed hours, at the middles of 200 equal shares."""
    # quantiles of the normal distribution without scipy: of a large fixed sample
    normal = np.sort(np.random.default_rng(0).standard_normal(20_000))
    middles = normal[((np.arange(200) + 0.5) / 200 * len(normal)).astype(int)]
    return np.asarray(MEDIAN * np.exp(SPREAD * middles))


def repairs() -> Repairs:
    """Hours from start to completion less the time on hold; two queries.

    Work goes on in hours of shifts and the record knows moments only: of what lasted over a night
    each started day of 24 hours counts as 8.
    """
    rows = list(
        WorkOrder.objects.filter(
            plan=None,
            state__in=FINISHED,
            started_at__isnull=False,
            completed_at__isnull=False,
        )
        .order_by("-completed_at")
        .values_list(
            "pk", "started_at", "completed_at", "device__model", "device__model__modality"
        )[:SAMPLE]
    )
    held = _held([pk for pk, *_ in rows])
    found: dict[str, list[tuple[object, float]]] = {"model": [], "modality": [], "house": []}
    for pk, begin, end, model, modality in rows:
        if begin is None or end is None:
            continue
        hours = worked(max(0.0, (end - begin).total_seconds() / 3600 - held.get(pk, 0.0)))
        if hours > LONGEST:
            continue
        for name, key in (("model", model), ("modality", modality), ("house", None)):
            found[name].append((key, hours))
    house = _pools(found["house"])
    return Repairs(
        by_model={k: v for k, v in _pools(found["model"]).items() if isinstance(k, int)},
        by_modality={k: v for k, v in _pools(found["modality"]).items() if isinstance(k, str)},
        of_house=house.get(None),
        waits=list(held.values()),
        count=len(rows),
    )


def worked(hours: float) -> float:
    """Hours of work of a span by the clock: up to 8 of each 24."""
    days, rest = divmod(hours, 24)
    return days * 8 + min(rest, 8)


def _pools(found: list[tuple[object, float]]) -> dict[object, Floats]:
    by: dict[object, list[float]] = {}
    for key, hours in found:
        by.setdefault(key, []).append(hours)
    return {key: np.sort(hours) for key, hours in by.items() if len(hours) >= LEAST}


def _held(orders: list[int]) -> dict[int, float]:
    """Hours on hold of those that were, by order."""
    events = WorkOrderEvent.objects.filter(order__in=orders).order_by("order", "at", "pk")
    found: dict[int, float] = {}
    for pk, steps in groupby(events.values_list("order", "at", "to_state"), key=lambda s: s[0]):
        since: datetime | None = None
        for _, at, state in steps:
            if since is not None and state != OrderState.ON_HOLD:
                found[pk] = found.get(pk, 0.0) + (at - since).total_seconds() / 3600
                since = None
            elif since is None and state == OrderState.ON_HOLD:
                since = at
    return found
