"""Alerts of the product's rules over a simulated fleet, matched with its truth table.

The rules see what the machines sent; the truth is looked at afterwards, by the matching alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np

from demo.simulator.faults import Fault, of_device
from demo.simulator.fleet import Block, Fleet
from demo.simulator.quantities import STEP
from devices import clock, drift
from devices.rule_kinds.fold import fold_of, moment
from devices.rule_kinds.spec import Spec
from devices.rules import Sample

ROUNDING = 1e-6  # days
GRACE = timedelta(days=1)  # after a fault is over, in which an alert still speaks of it


@dataclass(frozen=True, slots=True)
class Raised:
    """An alert as it would have been opened.

    Attributes:
        device: the machine's number.
        metric: where it was seen; empty for clock and settings.
        kind: of rule.
        opened: days since the fleet's start.
    """

    device: int
    metric: str
    kind: str
    opened: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one fault.

    Attributes:
        kind: of fault.
        delay: days from onset to the first alert that speaks of it; `None`: not found.
        lead: days from that alert to the failure, negative where it came too late; `None` where
            the fault ends in none, or was not found.
        by: kind of rule that found it.
    """

    kind: str
    delay: float | None
    lead: float | None
    by: str


def raised(block: Block, specs: Sequence[Spec]) -> list[Raised]:
    """All alerts of some machines."""
    fleet = block.fleet
    return (
        [
            alert
            for device in block.numbers
            for alert in (*_by_rules(block, device, specs), *_by_reports(block, device))
        ]
        if fleet.count
        else []
    )


def _by_rules(block: Block, device: int, specs: Sequence[Spec]) -> list[Raised]:
    found: list[Raised] = []
    samples: dict[str, list[Sample]] = {}
    for spec in specs:
        metric = spec.limit.metric
        if not may_fail(block, device, spec):
            continue
        if metric not in samples:
            samples[metric] = [Sample(at, value) for at, value, _ in block.series(device, metric)]
        found += [
            Raised(device, metric, spec.kind, at) for at in opened(block, spec, samples[metric])
        ]
    return found


def opened(block: Block, spec: Spec, samples: Sequence[Sample]) -> list[float]:
    """Days at which a rule began to fail: stepped through in the order of time, as live."""
    fold = fold_of(spec)
    for sample in samples:
        fold.step(sample)
    fold.advance(block.fleet.end)
    return [_days(moment(e.opened), block.fleet.start) for e in fold.episodes]


def may_fail(block: Block, device: int, spec: Spec) -> bool:
    """Whether a rule can fail on a series at all: a look at the whole array, to save its steps.

    False only where every step would say "inside": no value beyond the limit, no pause as long as
    the silence, no equal readings for as long as the rule bears.
    """
    row, track = block.numbers.index(device), block.tracks[spec.limit.metric]
    came = np.isfinite(track.values[row])
    values, steps = track.values[row, came], track.steps[came]
    at = (steps + 1) * STEP + block.ahead[row, steps]
    if spec.kind == "limit":
        low, high = spec.limit.low, spec.limit.high
        below = low is not None and bool((values < low).any())
        return below or (high is not None and bool((values > high).any()))
    if spec.kind == "silence" and len(at):
        end = block.fleet.days * 86_400
        pauses = np.diff(at, append=end)
        return bool(pauses.max() > spec.params["cadences"] * (spec.cadence or 0) - 1)
    if spec.kind == "stuck" and len(at):
        changed = np.flatnonzero(np.diff(values, prepend=np.nan) != 0)
        last = np.append(changed[1:], len(values)) - 1
        return bool((at[last] - at[changed]).max() > 3600 * (spec.limit.high or 0) - 1)
    return True


def _by_reports(block: Block, device: int) -> list[Raised]:
    """Clock and settings, by the same pure functions that the doors use."""
    start, noted = block.fleet.start, None
    found = []
    for measured_at, _, received_at in block.series(device, "room_temperature"):
        note = clock.change(noted, clock.Seen(measured_at), received_at)
        if note is None:
            continue
        noted = {**note, "since": received_at.isoformat()}
        if note["state"] != "right":
            found.append(Raised(device, "", "clock", _days(received_at, start)))
    wanted = block.configs(device)[0][1]
    for at, config in block.configs(device):
        reported = {key: {"value": value, "since": ""} for key, value in config.items()}
        if drift.drift(wanted, reported):
            found.append(Raised(device, "", "config", _days(at, start)))
    return found


def _days(at: datetime, start: datetime) -> float:
    return (at - start).total_seconds() / 86_400


def speaks_of(alert: Raised, fault: Fault) -> bool:
    """Whether an alert is about a fault: the right machine and metric, in its time."""
    # onsets are days as a number, alerts come in whole microseconds
    if alert.device != fault.device or alert.opened < fault.onset - ROUNDING:
        return False
    over = fault.onset + fault.lasts + GRACE / timedelta(days=1)
    if fault.of.ends == "over" and alert.opened > over:
        return False
    if fault.kind in {"clock_skew", "config_change"}:
        return alert.kind == fault.kind.split("_", maxsplit=1)[0]
    if fault.kind in {"power_cut", "silent_sensor"}:
        return alert.kind == "silence" and alert.metric in fault.metrics
    return alert.metric in fault.metrics


def outcomes(alerts: Sequence[Raised], fleet: Fleet) -> list[Outcome]:
    """What became of each fault of the fleet."""
    found = []
    for fault in fleet.faults:
        mine = [a for a in alerts if speaks_of(a, fault)]
        if not mine:
            found.append(Outcome(fault.kind, None, None, ""))
            continue
        first = min(mine, key=lambda a: a.opened)
        lead = fault.onset + fault.lasts - first.opened if fault.of.ends == "failure" else None
        found.append(Outcome(fault.kind, max(0.0, first.opened - fault.onset), lead, first.kind))
    return found


def without_cause(alerts: Sequence[Raised], fleet: Fleet) -> list[Raised]:
    """Alerts of machines that have no fault yet, or never any."""
    onsets = {
        alert.device: min((f.onset for f in of_device(fleet.faults, alert.device)), default=1e9)
        for alert in alerts
    }
    return [alert for alert in alerts if alert.opened < onsets[alert.device] - ROUNDING]
