"""The section of what-if: seconds of a simulation, of a scenario and of a suggestion."""

from __future__ import annotations

import os
from statistics import median
from typing import Any

from .sections import module, table, verdict


def what_if(*, long: bool) -> str:
    r = module("what_if", "--rounds", "5" if long else "3")
    text = (
        f"`python -m benchmarks.what_if`: {r['machines']} machines, 90 days, {r['runs']:,} runs, "
        f"{r['orders']} orders. A scenario is drawing, the present and the changed schedule. The "
        "plain loop takes the same chances run by run, for unplanned downtime alone; its result is "
        f"{'the same' if r['plain_same'] else '**not the same**'}. *Own* is the processor's time. "
        f"Load of the machine meanwhile: {r['load']:.1f} on {os.cpu_count()} cores."
    )
    rows: list[tuple[str, ...]] = []
    for name, key in (("one schedule", "simulate"), ("scenario", "scenario")):
        clock, own = (median(each[n] for each in r[key]) for n in (0, 1))
        rows.append(
            (name, f"median of {r['rounds']}", f"{clock:.2f} s", f"{own:.2f} s", "< 2 s",
             verdict(clock < 2))
        )  # fmt: skip
    plain = r["plain_seconds_a_run"] * r["runs"]
    fast = median(own for _, own in r["simulate"])
    rows += [
        ("plain loop", "counted up from 5 runs", f"{plain:.0f} s", "",
         f"{plain / fast:.0f} x one schedule", ""),
        ("suggestion", "search, reasons, three simulations", f"{r['suggestion'][0]:.1f} s",
         f"{r['suggestion'][1]:.1f} s", "< 10 s", verdict(r["suggestion"][0] < 10)),
    ]  # fmt: skip
    head = ("of", "what", "measured", "own", "target", "")
    return table("What if", text, rows, head=head) + "\n\n" + _schedules(r["schedules"])


def _schedules(found: dict[str, Any]) -> str:
    """The three schedules beside each other."""
    names = ("present", "first come", "suggestion")
    keys = list(found["present"])
    lines = [("figure, mean", *names), ("---",) * 4]
    lines += [(key.replace("_", " "), *(str(found[name][key]) for name in names)) for key in keys]
    moves = f"Suggested schedule, {found['moves']} moves; the objective is docs/planning.md's."
    return moves + "\n\n" + "\n".join("| " + " | ".join(line) + " |" for line in lines)
