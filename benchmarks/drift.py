"""The section of the drift detector: its figures on the Numenta Anomaly Benchmark."""

from __future__ import annotations

from typing import Any

from .sections import module, table, verdict

KINDS = {
    "artificialNoAnomaly": "made, without anomaly",
    "artificialWithAnomaly": "made, with one",
    "realAWSCloudwatch": "servers",
    "realAdExchange": "prices of advertisements",
    "realKnownCause": "known cause (temperatures, taxis, servers)",
    "realTraffic": "road traffic",
    "realTweets": "tweets",
}
PROFILES = {
    "standard": "standard profile",
    "reward_low_FP_rate": "profile reward low FP",
    "reward_low_FN_rate": "profile reward low FN",
}


def drift(*, long: bool) -> str:
    r = module("nab")
    if not r:
        print("the Numenta Anomaly Benchmark isn't there: see benchmarks/nab.py", flush=True)
        return ""
    known = r["windowed_gaussian"]["standard"]
    right = verdict(abs(known["score"] - 39.6) <= 0.2)
    what = "Windowed Gaussian, standard (published 39.6)"
    rows = [_row("scorer", what, known, "39.4 to 39.8", right)]
    for profile, name in PROFILES.items():
        best, own = r["best_threshold"][profile], r["own_threshold"][profile]["score"]
        what = f"{name}, threshold as the benchmark chooses it ({own:.1f} at the detector's own)"
        reached = (">= 60", verdict(best["score"] >= 60)) if profile == "standard" else ()
        rows.append(_row("all", what, best, *reached))
    what = "standard, own threshold"
    rows += [_row(name, what, found) for name, found in r["halves"].items()]
    rows += [_row(words, what, r["kinds"][kind]) for kind, words in KINDS.items()]
    rows += [
        _row("all", f"{what}, strictness {strictness}", found)
        for strictness, found in r["strictness"].items()
    ]
    speed = r["points_per_second"]
    fast = verdict(speed > 5000)
    rows.append(("all", "readings per second of one core", f"{speed:,}", "", "> 5,000", fast))
    text = (
        f"`python -m benchmarks.nab --data DIR`: {r['series']} series, {r['points']:,} readings, "
        "one at a time. 0 is a detector that never speaks, 100 the perfect one; published by the "
        "benchmark's authors: Numenta HTM 70.5, KNN-CAD 58.0, Windowed Gaussian 39.6. Parameters "
        "were chosen on the half *tuned on* (by a hash of the file's name); the figure of the "
        "other half stood beside it. What the detector does: [drift.md](drift.md)."
    )
    head = ("series", "what", "score", "windows found, false alarms", "target", "")
    return table("The drift detector", text, rows, head=head)


def _row(
    series: str, what: str, found: dict[str, Any], target: str = "", reached: str = ""
) -> tuple[str, ...]:
    score = f"{found['score']:.1f}" if found["windows"] else ""
    counts = f"{found['found']} of {found['windows']}, {found['false']}"
    return series, what, score, counts, target, reached
