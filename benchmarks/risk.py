"""Is the 90 % interval of the first rung right? Measured on fleets whose truth is known.

    python -m benchmarks.risk [--fleets 100] [--seed 0]

Each fleet draws every machine's true rate of failures from a distribution, then its record over its
time in service. Counted is how often the interval of `devices.risk` holds the true chance of a
failure within 30 days, and how the mean of the chances compares with the mean of the truths. Fleets
of which too little is known (no number is told) are counted apart. Prints a table of Markdown.
"""

from __future__ import annotations

import argparse
import math
import random
from collections.abc import Callable

from devices import risk

Draw = Callable[[random.Random], float]


def _gamma(shape: float, mean: float) -> Draw:
    return lambda rng: rng.gammavariate(shape, mean / shape)


def _log_normal(sigma: float, mean: float) -> Draw:
    return lambda rng: rng.lognormvariate(math.log(mean) - sigma * sigma / 2, sigma)


WORLDS: dict[str, tuple[int, Draw]] = {
    "10 machines, gamma, 1 failure a year": (10, _gamma(2, 1.0)),
    "30 machines, gamma, 1 failure a year": (30, _gamma(2, 1.0)),
    "30 machines, gamma, 0.2 failures a year": (30, _gamma(2, 0.2)),
    "30 machines, gamma, few bad ones (shape 0.5)": (30, _gamma(0.5, 1.0)),
    "30 machines, all alike, 1 failure a year": (30, lambda _: 1.0),
    "30 machines, log-normal, 1 failure a year": (30, _log_normal(0.8, 1.0)),
    "100 machines, gamma, 3 failures a year": (100, _gamma(4, 3.0)),
}


def poisson(rng: random.Random, mean: float) -> int:
    """How many arrivals of a Poisson process fall into a time in which `mean` are expected."""
    count, at = 0, rng.expovariate(1.0)
    while at < mean:
        count, at = count + 1, at + rng.expovariate(1.0)
    return count


def measure(machines: int, draw: Draw, *, fleets: int, seed: int) -> dict[str, float]:
    """Coverage and bias over many fleets of one world."""
    rng = random.Random(seed)
    held = told = silent = 0
    said = true = 0.0
    for _ in range(fleets):
        rates = [draw(rng) for _ in range(machines)]
        records = []
        for rate in rates:
            days = rng.randint(60, 1100)
            records.append(risk.Record(poisson(rng, rate * days / risk.YEAR), days))
        if risk.evidence(records).missing:
            silent += 1
            continue
        for rate, (_, chance) in zip(rates, risk.of_class(records), strict=True):
            truth = -math.expm1(-rate * risk.DAYS / risk.YEAR)
            held += chance.low <= truth <= chance.high
            told += 1
            said += chance.probability
            true += truth
    return {
        "coverage": held / told if told else math.nan,
        "said": said / told if told else math.nan,
        "true": true / told if told else math.nan,
        "silent": silent / fleets,
    }


def main() -> None:
    """Measure every world and print the table."""
    parser = argparse.ArgumentParser(description="coverage of the first rung's interval")
    parser.add_argument("--fleets", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print("| fleet | interval holds the truth | mean chance said | mean truth | no number told |")
    print("| --- | ---: | ---: | ---: | ---: |")
    for name, (machines, draw) in WORLDS.items():
        got = measure(machines, draw, fleets=given.fleets, seed=given.seed)
        print(
            f"| {name} | {got['coverage']:.1%} | {got['said']:.2%} | {got['true']:.2%} "
            f"| {got['silent']:.0%} |"
        )


if __name__ == "__main__":
    main()
