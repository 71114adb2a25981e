"""Rules about what a machine reports of itself: its configuration and its clock. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from devices.clock import words
from devices.rules import CheckResult, State

from .spec import Spec


@dataclass(frozen=True, slots=True)
class Departure:
    """One key of the configuration that isn't as it should be.

    Attributes:
        key: of the configuration.
        wanted: value it should have.
        reported: value it has.
        since: since when the two differ.
        wanted_by: who said so last; empty where it came with the set-up.
        source: image or message from which it was reported.
    """

    key: str
    wanted: Any
    reported: Any
    since: datetime
    wanted_by: str = ""
    source: str = ""

    @property
    def text(self) -> str:
        """For people."""
        by = f" by {self.wanted_by}" if self.wanted_by else ""
        told = f" (reported by {self.source.replace(':', ' ', 1)})" if self.source else ""
        return f"{self.key} is {self.reported}{told}, wanted{by}: {self.wanted}"


_BY = re.compile(r", wanted by [\w.@+-]+(?=:|$)")


def without_names(text: str) -> str:
    """What `config_check` says, without who wanted it: for programs, which are told no names."""
    return _BY.sub(", wanted", text)


def config_check(
    spec: Spec,
    desired: Mapping[str, Any],
    departures: Sequence[Departure],
    unreported: int,
    at: datetime,
) -> CheckResult | None:
    """What a rule of configuration says; `None` where nothing is wanted.

    Args:
        spec: the rule; `for_seconds` is how long a departure is borne.
        desired: what is wanted.
        departures: keys that are reported otherwise.
        unreported: how many wanted keys the machine never reported.
        at: as of when.
    """
    if not desired:
        return None
    limit = spec.limit
    since = min((d.since for d in departures), default=None)
    borne = timedelta(seconds=limit.for_seconds)
    failing = since is not None and at - since >= borne
    state: State = "ok"
    if failing:
        state = limit.severity
    elif not departures and unreported == len(desired):
        state = "unknown"
    if departures:
        text = "; ".join(d.text for d in departures)
        if not failing:
            text += "; not yet for long enough"
    elif unreported:
        text = f"{unreported} of {len(desired)} wanted settings were never reported"
    else:
        text = "as wanted"
    return _result(spec, state, since, f"{limit.rule}: {text}", since or at)


def clock_check(spec: Spec, note: Mapping[str, Any] | None, at: datetime) -> CheckResult | None:
    """What a rule of the clock says; `None` where nothing was noted of it.

    Args:
        spec: the rule.
        note: `{"state", "seconds", "since"}` of the projected state.
        at: as of when.
    """
    if not note:
        return None
    since = datetime.fromisoformat(str(note["since"]))
    off = note["state"] != "right"
    failing = off and at - since >= timedelta(seconds=spec.limit.for_seconds)
    text = f"{spec.limit.rule}: {words(str(note['state']), int(note['seconds']))}"
    state: State = spec.limit.severity if failing else "ok"
    return _result(spec, state, since if off else None, text, since)


def _result(
    spec: Spec, state: State, since: datetime | None, text: str, measured_at: datetime
) -> CheckResult:
    failing = state in {"watch", "act"}
    return CheckResult(
        rule_id=spec.limit.rule_id,
        rule=spec.limit.rule,
        metric="",
        unit="1",
        state=state,
        value=None,
        since=since if failing else None,
        n=0,
        low=None,
        high=None,
        affects_image=spec.limit.affects_image,
        text=text,
        measured_at=measured_at,
        kind=spec.kind,
        version=spec.version,
    )
