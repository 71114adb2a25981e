"""False alerts of the drift rules on machines that don't drift.

    python -m benchmarks.drift_rules [--seed 0] [--machines 300]

Prints, for each setting, how many alerts come in 24 days after the baseline, with daily means that
are independent and with a correlation of 0.5 from one day to the next.
"""

from __future__ import annotations

import argparse
import json
from datetime import UTC, datetime, timedelta
from math import sqrt
from typing import Any

import numpy as np

from devices.rule_kinds.fold import run
from devices.rule_kinds.spec import Spec, complete
from devices.rules import Limit, Sample

START = datetime(2026, 1, 5, tzinfo=UTC)
WATCHED = 24  # days
SETTINGS: dict[str, dict[str, Any]] = {
    "CUSUM k 0.5, h 5": {"method": "cusum", "slack": 0.5, "threshold": 5},
    "CUSUM k 1, h 8": {"method": "cusum", "slack": 1, "threshold": 8},
    "CUSUM k 1.5, h 12": {"method": "cusum", "slack": 1.5, "threshold": 12},
    "EWMA 3": {"method": "ewma", "threshold": 3},
    "EWMA 7": {"method": "ewma", "threshold": 7},
}


def rule(given: dict[str, Any]) -> Spec:
    """A drift rule with the defaults but for what is given."""
    params, errors = complete("drift", given)
    assert not errors, errors
    limit = Limit(1, "drift", "made", "1", "watch", None, None)
    return Spec(limit, "drift", params, version=1, cadence=86_400)


def means(rng: np.random.Generator, days: int, correlation: float) -> list[float]:
    """Daily means with spread 1."""
    noise = rng.standard_normal(days)
    found = [float(noise[0])]
    for fresh in noise[1:]:
        found.append(correlation * found[-1] + sqrt(1 - correlation**2) * float(fresh))
    return found


def alerts(spec: Spec, rng: np.random.Generator, correlation: float) -> int:
    """Of one machine, in the last days."""
    days = int(spec.params["baseline_days"] + spec.params["lag_days"]) + WATCHED
    samples = [
        Sample(START + timedelta(days=day, hours=12), value)
        for day, value in enumerate(means(rng, days, correlation))
    ]
    since = START + timedelta(days=days - WATCHED)
    return sum(failure.opened_at >= since for failure in run(spec, samples))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--machines", type=int, default=300)
    given = parser.parse_args()
    found = {}
    for name, setting in SETTINGS.items():
        spec = rule(setting)
        for words, correlation in (("independent", 0.0), ("correlated", 0.5)):
            rng = np.random.default_rng(given.seed)
            count = sum(alerts(spec, rng, correlation) for _ in range(given.machines))
            found[f"{name}, {words}"] = count
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
