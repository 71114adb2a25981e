"""What the page says of readings: rows of `benchmarks.readings`' figures."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

TEXT = (
    "`python -m benchmarks.readings`: a PostgreSQL that syncs to disk, the table with all its "
    "indexes, commits of 10,000 rows for COPY and executemany. REST: two senders with a key each, "
    "one call after the other, 10,000 readings a call; the answer means that they are durable. "
    "MQTT: `mosquitto_pub`, QoS 1, the shipped broker, one listener; from the first message until "
    "all rows are there; where each message comes from another machine than the one before, by a "
    "sender of the benchmark's own. Machines should still send several readings at once."
)


def rows(
    r: dict[str, Any],
    verdict: Callable[[bool], str],
) -> list[tuple[str, ...]]:
    """(what, measured, target, verdict)."""

    def beside(rate: float) -> str:
        share = f"{rate / r['copy']:.0%} of COPY, {rate / r['executemany']:.1f} x executemany"
        return f"{rate:,.0f} ({share})"

    return [
        (f"COPY, readings/s, of {r['readings']:,}", f"{r['copy']:,.0f}", "", ""),
        ("executemany, readings/s", f"{r['executemany']:,.0f}", "", ""),
        ("REST, readings/s", beside(r["rest"]), ">= 20,000", verdict(r["rest"] >= 20_000)),
        (
            "REST, each reading in another unit than its metric's",
            beside(r["rest_converted"]),
            ">= 20,000",
            verdict(r["rest_converted"] >= 20_000),
        ),
        (
            "MQTT, 20 readings a message, readings/s",
            beside(r["mqtt_20"]),
            ">= 5,000",
            verdict(r["mqtt_20"] >= 5_000),
        ),
        (
            "MQTT, one reading a message, readings/s",
            beside(r["mqtt_single"]),
            ">= 5,000",
            verdict(r["mqtt_single"] >= 5_000),
        ),
        (
            "MQTT, one reading a message, 300 machines in turn, readings/s",
            beside(r["mqtt_many"]),
            ">= 5,000",
            verdict(r["mqtt_many"] >= 5_000),
        ),
    ]
