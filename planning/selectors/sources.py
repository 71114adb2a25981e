"""Where each input of a simulation comes from: known, estimated, assumed, or missing."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from statistics import mean
from typing import Any

from devices.models import Device
from devices.selectors import risk as risks_of
from maintenance.selectors_week import WORKDAY_HOURS
from planning.assumptions import Assumptions
from planning.book import ASSUMED, ESTIMATED, KNOWN, MISSING, Source
from planning.simulation.inputs import World

from . import exams, orders, repairs
from .machines import Facts

PART_SHARE, PART_HOURS = 0.3, 48.0  # where past orders don't tell
LEAST_HELD = 5


@dataclass(frozen=True, slots=True)
class Parts:
    """Waiting for parts, and whether past orders told it."""

    share: float
    hours: float
    share_kind: str
    hours_kind: str


def parts(given: Assumptions, past: repairs.Repairs) -> Parts:
    """What is given, else the past orders that were on hold, else the assumption."""
    enough = len(past.waits) >= LEAST_HELD
    share, share_kind = (
        (len(past.waits) / past.count, ESTIMATED) if enough else (PART_SHARE, ASSUMED)
    )
    hours, hours_kind = (mean(past.waits), ESTIMATED) if enough else (PART_HOURS, ASSUMED)
    if given.part_share is not None:
        share, share_kind = given.part_share, ASSUMED
    if given.part_hours is not None:
        hours, hours_kind = given.part_hours, ASSUMED
    return Parts(share, hours, share_kind, hours_kind)


def told(facts: Facts, world: World, part: Parts) -> list[Source]:
    """One line an input."""
    devices, past, given = facts.devices, facts.past, facts.given
    return [
        *_failures(devices, facts.risks, given),
        *_repairs(devices, past),
        Source(
            "Repairs that wait for a part", f"{part.share:.0%}", part.share_kind,
            _parts_text(past, part.share_kind),
        ),
        Source(
            "Mean time that they wait", f"{part.hours:.0f} h", part.hours_kind,
            "It is drawn from an exponential distribution.",
        ),
        Source(
            "Wear", f"{world.assumed.wear:.0%}", ASSUMED,
            "A machine's rate of failures grows evenly by so much of its mean from one maintenance "
            "to the next; 0: maintenance prevents nothing.",
        ),
        *_since(devices, len(facts.done.by_device)),
        *_exams(devices, facts.usual),
        Source(
            "Engineers", str(int(world.staff.engineers.max(initial=0))),
            KNOWN if given.engineers is None else ASSUMED,
            f"Accounts of engineers; {WORKDAY_HOURS} h from 8:00 on weekdays, none at weekends.",
        ),
        Source(
            "Overtime", f"{world.staff.overtime} h a working day", ASSUMED,
            "One engineer may go on with a repair, or with work on its last day.",
        ),
        *_lengths(facts.work, facts.hours),
        *_down(world),
    ]  # fmt: skip


def _failures(
    devices: list[Device], risks: dict[int, risks_of.Risk], given: Assumptions
) -> list[Source]:
    rated = [each for each in devices if risks[each.pk].prior is not None]
    found = []
    if rated:
        pools = Counter(risks[each.pk].pool_name for each in rated)
        text = ", ".join(f"{name} ({count})" for name, count in pools.most_common(5))
        found.append(
            Source(
                "Failures", f"{len(rated)} of {len(devices)} machines", ESTIMATED,
                f"First rung, class prior and the machine's own record: {text}. Each run draws "
                "the rate anew from what is not known of it.",
            )
        )  # fmt: skip
    without = len(devices) - len(rated)
    if without and given.rate:
        found.append(
            Source(
                "Failures", f"{without} machines: {given.rate:g} a year", ASSUMED,
                "Too few failures are on record to tell a rate: the number given is taken.",
            )
        )  # fmt: skip
    elif without:
        found.append(
            Source(
                "Failures", f"{without} of {len(devices)} machines", MISSING,
                "Their failures are not simulated. On the what-if page a rate can be assumed.",
            )
        )  # fmt: skip
    return found


def _repairs(devices: list[Device], past: repairs.Repairs) -> list[Source]:
    pools = Counter(past.pool(each.model_id, each.model.modality)[1] for each in devices)
    return [
        Source(
            "Hours of work of a repair",
            f"{count} machine{'' if count == 1 else 's'}",
            ASSUMED if name == repairs.FALLBACK else ESTIMATED,
            name if name == repairs.FALLBACK else f"Past orders without a plan of {name}.",
        )
        for name, count in pools.items()
    ]


def _parts_text(past: repairs.Repairs, kind: str) -> str:
    if kind == ESTIMATED:
        return f"{len(past.waits)} of {past.count} past orders without a plan were on hold."
    return f"Fewer than {LEAST_HELD} past orders without a plan were on hold, or you gave it."


def _since(devices: list[Device], maintained: int) -> list[Source]:
    found = [
        Source(
            "Last maintenance", f"{maintained} of {len(devices)} machines", KNOWN,
            "The last signed order of any of the machine's plans.",
        )
    ]  # fmt: skip
    if maintained < len(devices):
        found.append(
            Source(
                "Last maintenance", f"{len(devices) - maintained} machines", ASSUMED,
                "None is on record: half of the interval is taken to be over.",
            )
        )  # fmt: skip
    return found


def _exams(devices: list[Device], usual: dict[int, Any]) -> list[Source]:
    found = []
    if usual:
        found.append(
            Source(
                "Exams by hour of the week", f"{len(usual)} of {len(devices)} machines", KNOWN,
                f"Mean of the last {exams.WEEKS} weeks. What a machine has free is its busiest "
                "usual hour less its usual load.",
            )
        )  # fmt: skip
    if len(usual) < len(devices):
        found.append(
            Source(
                "Exams by hour of the week", f"{len(devices) - len(usual)} machines", MISSING,
                f"Fewer than {exams.LEAST} exams in {exams.WEEKS} weeks: nothing of theirs is "
                "counted as displaced, and they take nothing over.",
            )
        )  # fmt: skip
    return found


def _lengths(work: list[orders.Work], hours: dict[int | None, float]) -> list[Source]:
    known = sum(1 for each in work if each.plan is not None and each.plan.pk in hours)
    found = []
    if known:
        found.append(
            Source(
                "Length of planned work", f"{known} of {len(work)} orders", ESTIMATED,
                "Median from start to completion of the plan's finished orders, a day's shift at "
                "most.",
            )
        )  # fmt: skip
    if known < len(work):
        found.append(
            Source(
                "Length of planned work", f"{len(work) - known} orders: 2 h", ASSUMED,
                "None of the plan's orders is finished.",
            )
        )  # fmt: skip
    return found


def _down(world: World) -> list[Source]:
    count = int((world.machines.down_until > 0).sum())
    if not count:
        return []
    return [
        Source(
            "Down now", f"{count} machine{'' if count == 1 else 's'}: back in 24 h", ASSUMED,
            "When a machine that is down comes back is not on record.",
        )
    ]  # fmt: skip
