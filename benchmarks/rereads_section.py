"""What docs/benchmarks.md says of `benchmarks.rereads`."""

from __future__ import annotations

from typing import Any

from .sections import table, verdict


def section(r: dict[str, Any]) -> str:
    """The section of one run's result."""
    rows: list[tuple[str, ...]] = [
        (
            f"marking a machine with {r['films']:,} films",
            f"{r['mark_ms']:.0f} ms",
            "",
            "at once",
            verdict(r["mark_ms"] < 1000),
        ),
        (
            f"the worker lists {r['listed']:,} signed films",
            f"{r['list_s']:.0f} s",
            "",
            "",
            "",
        ),
        (
            "the worker reckons trust again, films/s",
            f"{r['trust_per_s']:.0f}",
            f"{r['trust_cpu_ms']:.1f} ms a film",
            "",
            "",
        ),
        ("the worker looks at a list that is whole", f"{r['look_ms']:.0f} ms", "", "", ""),
    ]
    for name, page in r["pages"].items():
        alone = page["cpu_p95_ms"]
        listed = name.startswith("list")
        rows.append(
            (
                f"{name}, p95 of {page['requests']} (p50 {page['p50_ms']:.0f} ms)",
                f"{page['p95_ms']:.0f} ms",
                f"{alone:.0f} ms, {page['queries']} queries",
                "< 200 ms" if listed else "",
                verdict(alone < 200) if listed else "",
            )
        )
    rows.append(("the whole list as CSV", f"{r['export_s']:.1f} s", "", "", ""))
    text = (
        f"`python -m benchmarks.rereads --films {r['films']}`: one machine took all films on "
        "PostgreSQL, 500 of them not signed yet, through Django's test client. *Alone* is the "
        "processor's time in this process and in the database's, p95: what the answer takes where "
        f"nothing else runs. Load of the machine while it was measured: {r['load']:.1f} on 2 cores."
    )
    head = ("what", "measured", "alone", "target", "")
    return table("A machine is marked as degraded", text, rows, head=head)
