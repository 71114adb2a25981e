"""Rules of configuration and clock, judged by what machines report of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from devices import projection
from devices.rule_kinds.facts import clock_check, config_check

from . import machine_facts
from .rules import Watched, spec_of


def machine_checks(
    rows: Sequence[dict[str, Any]], facts: dict[int, dict[str, Any]], at: datetime
) -> list[Watched]:
    """The verdict of each rule that has something to say; one query where any differs.

    Args:
        rows: rules (`SPEC_COLUMNS`) with `machine`.
        facts: as `machine_facts.states` gave them.
        at: as of when.
    """
    configured = {row["machine"]: facts[row["machine"]] for row in rows if row["kind"] == "config"}
    departures = machine_facts.departures(configured, at) if configured else {}
    found = []
    for row in rows:
        machine, spec = row["machine"], spec_of(row)
        if spec.kind == "config":
            desired = projection.values(facts[machine]["desired"])
            result = config_check(spec, desired, *departures[machine], at)
        else:
            result = clock_check(spec, facts[machine].get("clock"), at)
        if result is not None:
            found.append(Watched(machine, spec, result))
    return found
