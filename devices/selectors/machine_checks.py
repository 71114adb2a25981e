"""Rules of configuration and clock, judged by what machines report of themselves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from devices import projection
from devices.rule_kinds.facts import clock_check, config_check
from devices.rule_kinds.spec import Spec

from . import machine_facts
from .rules import Watched


def machine_checks(
    rules: Sequence[tuple[int, Spec]], facts: dict[int, dict[str, Any]], at: datetime
) -> list[Watched]:
    """The verdict of each rule that has something to say; one query where any differs.

    Args:
        rules: each with its machine's id.
        facts: as `machine_facts.states` gave them.
        at: as of when.
    """
    configured = {machine: facts[machine] for machine, spec in rules if spec.kind == "config"}
    departures = machine_facts.departures(configured, at) if configured else {}
    found = []
    for machine, spec in rules:
        if spec.kind == "config":
            desired = projection.values(facts[machine]["desired"])
            result = config_check(spec, desired, *departures[machine], at)
        else:
            result = clock_check(spec, facts[machine].get("clock"), at)
        if result is not None:
            found.append(Watched(machine, spec, result))
    return found
