"""What the page says of storage: rows of `benchmarks.storage`' figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TEXT = (
    "`python -m benchmarks.storage --readings {readings}` on an empty PostgreSQL: 300 machines of "
    "20 metrics with a limit each over 90 days, one of which tells every metric every minute for "
    "30 days; through Django's test client. *Alone* is the processor's time in this process and in "
    "the database's, p95. The plain way asks the same of the readings themselves, or folds the "
    "whole journal, in the same run. Load of the machine while it was measured: {load:.1f}."
)
HEAD = ("what", "measured", "alone", "the plain way", "target", "")


def rows(r: dict[str, Any], verdict: Callable[[bool], str]) -> list[tuple[str, ...]]:
    """(what, measured, alone, the plain way, target, verdict)."""

    def row(what: str, of: str, limit: int = 0, plain: str = "") -> tuple[str, ...]:
        found = r[of]
        beside = ""
        if plain:
            took = r[plain]["p50"]
            beside = f"{took:,.1f} ms = {took / found['p50']:.0f} x"
        return (
            what,
            f"p95 {found['p95']:.1f} ms of {found['of']} (p50 {found['p50']:.1f})",
            f"{found['cpu_p95']:.1f} ms",
            beside,
            f"< {limit} ms" if limit else "",
            verdict(found["p95"] < limit) if limit else "",
        )

    chart = f"30 days of 20 metrics, {r['points']:,} points in steps of {r['resolution']}"
    return [
        row("fleet board", "fleet", 200),
        row("its refresh", "fleet_refresh", 200),
        row("newest reading of every machine and metric", "newest", plain="newest_raw"),
        row("twin page", "twin", 100),
        row("twin page of the machine that tells most", "twin_dense"),
        row(chart, "chart", 150, "chart_raw"),
        row("as of a moment of a year with 100,000 events", "as_of", 50, "as_of_whole"),
        row("an event that comes a week late", "late_event", plain="as_of_whole"),
    ]
