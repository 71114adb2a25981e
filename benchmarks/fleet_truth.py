"""Faults found, how soon, and false alerts: the product's rules on simulated fleets.

    python -m benchmarks.fleet_truth [--seeds 0-9] [--jobs 2]

Per seed two fleets: 300 machines without a fault for 24 days, and machines of which each has one
fault after a month of health. Rules and limits (`demo/standard_rules.py`) were settled on seeds 0
to 9; seeds 100 to 119 are for the figures. Prints JSON.
"""

from __future__ import annotations

import argparse
import gc
import json
import sys
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
from scipy import stats

from demo.simulator.faults import KINDS, Fault, make, spread
from demo.simulator.fleet import Fleet
from demo.standard_rules import specs

from .fleet_match import Outcome, outcomes, raised, without_cause

ZONE = "Europe/Berlin"
HEALTHY, HEALTHY_DAYS = 300, 24
EACH = 3  # faults of a kind and seed; those that neighbours share hit a group of ten
FIRST_ONSET, LAST_ONSET, FAULTED_DAYS = 28.0, 32.0, 66
NEXT_GROUP = 30  # machines: whole zones and whole supplies
BOOTSTRAPS = 2_000


def start(seed: int) -> datetime:
    """Each seed's fleet begins at another time of the year."""
    return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=seed * 37 % 365)


def healthy(seed: int, *, count: int = HEALTHY, days: int = HEALTHY_DAYS) -> Fleet:
    """Machines without a fault."""
    return Fleet(count, days, seed, start(seed), zone=ZONE)


def faulted(seed: int, *, kinds: Sequence[str] = tuple(KINDS), each: int = EACH) -> Fleet:
    """One fault a machine: `each` machines of a kind, or one group where neighbours share it."""
    rng = np.random.default_rng([seed, 11])
    faults: list[Fault] = []
    device = 0
    for kind in sorted(kinds, key=lambda k: -KINDS[k].group):
        shared = KINDS[kind].group > 1
        for _ in range(1 if shared else each):
            fault = make(kind, device, float(rng.uniform(FIRST_ONSET, LAST_ONSET)), seed=seed)
            # a group's machines are its own: the next kind begins with the next group
            faults += spread(fault, device + KINDS[kind].group) if shared else [fault]
            device += NEXT_GROUP if shared else 1
    return Fleet(device, FAULTED_DAYS, seed, start(seed), tuple(faults), ZONE)


def measured(seed: int) -> dict[str, Any]:
    """Both fleets of a seed."""
    rules = specs(ZONE)
    well, ill = healthy(seed), faulted(seed)
    gc.disable()  # millions of small objects, none in a circle
    quiet = [alert for block in well.blocks() for alert in raised(block, rules)]
    hit = sorted({f.device for f in ill.faults})
    alerts = [a for part in runs_of(hit) for a in raised(ill.block(part), rules)]
    before = without_cause(alerts, ill)
    return {
        "seed": seed,
        "healthy_alerts": [asdict(a) for a in quiet],
        "before_onset": [asdict(a) for a in before],
        "machine_days": [
            well.count * well.days,
            sum(min(f.onset for f in ill.faults if f.device == d) for d in hit),
        ],
        "outcomes": [asdict(o) for o in outcomes(alerts, ill)],
    }


def runs_of(numbers: Sequence[int]) -> list[range]:
    """Neighbouring numbers together, at most a dozen."""
    found: list[range] = []
    for number in numbers:
        if found and found[-1].stop == number and len(found[-1]) < 12:
            found[-1] = range(found[-1].start, number + 1)
        else:
            found.append(range(number, number + 1))
    return found


def wilson(found: int, of: int) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    if not of:
        return 0.0, 1.0
    z = 1.959964
    share, square = found / of, z * z
    middle = (share + square / (2 * of)) / (1 + square / of)
    half = z / (1 + square / of) * (share * (1 - share) / of + square / (4 * of * of)) ** 0.5
    return max(0.0, middle - half), min(1.0, middle + half)


def poisson(count: int, years: float) -> tuple[float, float]:
    """95 % exact interval of a rate per year (Garwood 1936)."""
    low = stats.chi2.ppf(0.025, 2 * count) / 2 if count else 0.0
    return float(low) / years, float(stats.chi2.ppf(0.975, 2 * count + 2)) / 2 / years


def bootstrap(by_seed: Sequence[Sequence[float]]) -> tuple[float, float] | None:
    """90 % interval of the median, seeds drawn anew with their machines together."""
    if not any(by_seed):
        return None
    rng = np.random.default_rng(1)
    medians = []
    for _ in range(BOOTSTRAPS):
        drawn = rng.integers(len(by_seed), size=len(by_seed))
        values = [v for i in drawn for v in by_seed[i]]
        if values:
            medians.append(float(np.median(values)))
    return float(np.percentile(medians, 5)), float(np.percentile(medians, 95))


def kind_summary(kind: str, runs: Sequence[Sequence[Outcome]]) -> dict[str, Any]:
    """One kind's row, of the runs' outcomes."""
    mine = [[o for o in run if o.kind == kind] for run in runs]
    every = [o for run in mine for o in run]
    found = [o for o in every if o.delay is not None]
    leads = [[o.lead for o in run if o.lead is not None] for run in mine]
    all_leads = [lead for run in leads for lead in run]
    delays = [[o.delay for o in run if o.delay is not None] for run in mine]
    return {
        "faults": len(every),
        "found": len(found),
        "share": wilson(len(found), len(every)),
        "delay": float(np.median([o.delay for o in found])) if found else None,
        "delay_interval": bootstrap(delays),
        "delay_p90": float(np.percentile([o.delay for o in found], 90)) if found else None,
        "lead": float(np.median(all_leads)) if all_leads else None,
        "lead_interval": bootstrap(leads),
        "before_failure": sum(lead > 0 for lead in all_leads) if all_leads else None,
        "by": dict(Counter(o.by for o in found).most_common()),
    }


def summary(runs: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """All seeds together."""
    told = [[Outcome(**o) for o in run["outcomes"]] for run in runs]
    well, ill = (sum(run["machine_days"][i] for run in runs) / 365.25 for i in (0, 1))
    quiet = [len(run["healthy_alerts"]) for run in runs]
    before = sum(len(run["before_onset"]) for run in runs)
    false = [a for run in runs for a in (*run["healthy_alerts"], *run["before_onset"])]
    return {
        "seeds": [run["seed"] for run in runs],
        "healthy": {
            "machines": HEALTHY,
            "days": HEALTHY_DAYS,
            "alerts_by_seed": quiet,
            "years": well,
            "rate": poisson(sum(quiet), well),
        },
        "before_onset": {"alerts": before, "years": ill, "rate": poisson(before, ill)},
        "false_by_rule": dict(Counter(f"{a['metric']} {a['kind']}".strip() for a in false)),
        "kinds": {kind: kind_summary(kind, told) for kind in KINDS},
    }


def seeds_of(text: str) -> list[int]:
    """`0-9` or `1,2,5`."""
    first, dash, last = text.partition("-")
    return list(range(int(first), int(last) + 1)) if dash else [int(s) for s in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", default="0-9", type=seeds_of)
    parser.add_argument("--jobs", default=2, type=int)
    options = parser.parse_args()
    with ProcessPoolExecutor(options.jobs) as pool:
        runs = []
        for run in pool.map(measured, options.seeds):
            print(
                f"seed {run['seed']}: {len(run['healthy_alerts'])} alerts of healthy machines",
                file=sys.stderr,
                flush=True,
            )
            runs.append(run)
    print(json.dumps(summary(runs)))


if __name__ == "__main__":
    main()
