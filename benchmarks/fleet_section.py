"""The section of the simulated fleet: faults found, delay, lead time, false alerts."""

from __future__ import annotations

from typing import Any

from .sections import module, table, verdict

HEAD = ("fault", "found, 95 % interval", "days from onset, median [90 %], 90th percentile",
        "days before failure, median [90 %], in time", "found by")  # fmt: skip


def fleet_truth(*, long: bool) -> str:
    """The figures: seeds that nobody looked at while rules were settled; takes long."""
    return section(module("fleet_truth", "--seeds", "100-119")) if long else ""


def fleet_truth_tuning(*, long: bool) -> str:
    """The seeds on which rules were settled: an optimistic figure, said as such."""
    return section(module("fleet_truth", "--seeds", "0-9" if long else "0-1"))


def section(r: dict[str, Any]) -> str:
    """Of `fleet_truth`'s summary."""
    seeds, well, ill = r["seeds"], r["healthy"], r["before_onset"]
    rows = [_row(kind, found) for kind, found in r["kinds"].items() if found["faults"]]
    quiet = sum(well["alerts_by_seed"])
    low, high = well["rate"]
    before_low, before_high = ill["rate"]
    wrong = ", ".join(f"{rule} {count}" for rule, count in r["false_by_rule"].items()) or "none"
    text = (
        f"`python -m benchmarks.fleet_truth --seeds {seeds[0]}-{seeds[-1]}`: the product's own "
        f"rules over simulated machines, seeds {seeds[0]} to {seeds[-1]}, matched with the truth "
        "table afterwards. Rules and limits were settled on seeds 0 to 9"
        f"{_whose(seeds)}. Delay and lead: medians with 90 % intervals by drawing seeds anew; "
        "shares: Wilson (machines of one zone or supply share their fault, so theirs are too "
        "narrow); rates: exact Poisson, 95 %. What is simulated and what that can't show: "
        "[simulator.md](simulator.md).\n\n"
        f"False alerts: {quiet} in {well['years']:.0f} machine years of {well['machines']} healthy "
        f"machines, {well['days']} days a seed ({low:.4f} to {high:.4f} a machine year; target 0 a "
        f"seed: {verdict(quiet == 0)}); {ill['alerts']} in {ill['years']:.1f} machine years before "
        f"a fault's onset ({before_low:.3f} to {before_high:.3f}). By rule: {wrong}."
    )
    name = "Faults of a simulated fleet"
    title = f"{name}, seeds that rules were settled on" if min(seeds) < 10 else name
    return table(title, text, rows, head=HEAD)


def _whose(seeds: list[int]) -> str:
    return ", so these figures are too good" if min(seeds) < 10 else "; these ran once, afterwards"


def _row(kind: str, found: dict[str, Any]) -> tuple[str, ...]:
    low, high = found["share"]
    share = f"{found['found']} of {found['faults']}, {100 * low:.0f} to {100 * high:.0f} %"
    by = ", ".join(f"{rule} {count}" for rule, count in found["by"].items())
    if found["delay"] is None:
        return kind, share, "", "", by
    delay = f"{_median(found['delay'], found['delay_interval'])}, {found['delay_p90']:.1f}"
    lead = ""
    if found["lead"] is not None:
        lead = (
            f"{_median(found['lead'], found['lead_interval'])}, "
            f"{found['before_failure']} of {found['faults']}"
        )
    return kind, share, delay, lead, by


def _median(value: float, interval: tuple[float, float]) -> str:
    return f"{value:.1f} [{interval[0]:.1f} to {interval[1]:.1f}]"
