"""The truth table: which machine had which fault when; written here, read by no rule."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from .faults import Fault

COLUMNS = ("device", "fault", "onset", "failure", "over", "metrics", "severity", "size")


def rows(
    faults: Sequence[Fault], *, start: datetime, serial: Callable[[int], str]
) -> list[dict[str, str]]:
    """One row per machine and fault, times as ISO 8601 in UTC, empty where there is none."""

    def moment(days: float) -> str:
        return (start + timedelta(days=days)).isoformat(timespec="seconds")

    return [
        {
            "device": serial(fault.device),
            "fault": fault.kind,
            "onset": moment(fault.onset),
            "failure": moment(fault.onset + fault.lasts) if fault.of.ends == "failure" else "",
            "over": moment(fault.onset + fault.lasts) if fault.of.ends == "over" else "",
            "metrics": " ".join(fault.metrics),
            "severity": fault.of.severity,
            "size": f"{fault.size:.3f}",
        }
        for fault in sorted(faults, key=lambda f: (f.device, f.onset, f.kind))
    ]


def text(table: Sequence[dict[str, str]], *, as_json: bool) -> str:
    """The table as CSV with a head, or as JSON."""
    if as_json:
        return json.dumps(list(table), indent=1) + "\n"
    out = io.StringIO()
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return out.getvalue()
