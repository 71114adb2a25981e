"""Sections of docs/benchmarks.md about machines that send all the time."""

from __future__ import annotations

import os

from .sections import module, table, verdict
from .soak import GROWTH

_DOORS = {"rest": "REST, 200 readings a call", "mqtt": "MQTT, 20 readings a message"}


def alert_latency(*, long: bool) -> str:
    """From sending a reading to the alert, under load."""
    probes = "200" if long else "60"
    rows: list[tuple[str, ...]] = []
    loads = []
    for door, what in _DOORS.items():
        r = module("alert_latency", "--door", door, "--probes", probes)
        loads.append(r["load"])
        row, shown = (
            " / ".join(f"{r[f'{name}_{share}']:.2f}" for share in ("p50", "p95", "max")) + " s"
            for name in ("row", "shown")
        )
        full = r["readings_per_second"] >= 4_900
        rows += [
            (what, "readings/s that came in meanwhile", f"{r['readings_per_second']:,.0f}",
             "5,000", verdict(full)),
            (what, f"sent to alert committed, p50 / p95 / max of {probes}", row, "", ""),
            (what, "sent to visible in GET /api/v1/alerts/", shown, "p95 < 2 s",
             verdict(r["shown_p95"] < 2)),
        ]  # fmt: skip
    text = (
        "`python -m benchmarks.alert_latency --door rest|mqtt`: web, worker, beat and listener on "
        "a PostgreSQL that syncs to disk; 100 machines with 20 metrics and as many limits send "
        "5,000 readings/s, and at chance moments a reading of another machine crosses its limit "
        f"through the same door. Load of the machine: {max(loads):.1f} on {os.cpu_count()} cores, "
        "everything measured and measuring included."
    )
    return table("From a reading to a visible alert", text, rows)


def soak(*, long: bool) -> str:
    """Counted readings and memory over 10 minutes, an hour with `long`."""
    r = module("soak", "--longest" if long else "--long", "--restarts")
    sent, stored = r["sent"], r["stored"]
    total = sum(sent.values())
    exact = r["lost"] == 0 and stored["mqtt_accepted"] == sent["mqtt"]
    clean = exact and not stored["mqtt_refused"]
    rows: list[tuple[str, ...]] = [
        (
            f"readings sent by REST and MQTT in {r['minutes']:.0f} minutes, readings/s",
            f"{sent['rest']:,} + {sent['mqtt']:,}, {r['readings_per_second']:,.0f}",
            "5,000",
            verdict(r["readings_per_second"] >= 4_900),
        ),
        (
            "sent but not stored, or stored but not sent",
            f"{r['lost']:,} of {total:,}; refused {stored['mqtt_refused']}",
            "0",
            verdict(clean),
        ),
        (
            "readings that the broker or a sender gave again, stored once",
            f"{stored['mqtt_again']:,}",
            "",
            "",
        ),
    ]
    alerts = " / ".join(f"{r[f'shown_{share}']:.2f}" for share in ("p50", "p95", "max"))
    rows.append(
        (
            "a reading beyond its limit, sent to visible, p50 / p95 / max; restarts included",
            f"{alerts} s",
            "p95 < 2 s",
            verdict(r["shown_p95"] < 2),
        )
    )
    for name, found in r["memory"].items():
        rows.append(
            (
                f"memory of {name} at the end, and its slope over the second half",
                f"{found['mib']:.0f} MiB, {found['mib_per_hour']:+.0f} MiB an hour",
                f"< {GROWTH:+.0f} MiB an hour",
                verdict(found["mib_per_hour"] < GROWTH),
            )
        )
    text = (
        "`python -m benchmarks.soak --long|--longest --restarts`: 50 machines send by REST, 50 by "
        "MQTT. In the middle the broker and the worker are started again and the listener is "
        f"killed. Load of the machine, mean: {r['load']:.1f} on {os.cpu_count()} cores."
    )
    return table("Readings for a while", text, rows)
