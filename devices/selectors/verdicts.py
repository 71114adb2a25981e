"""Verdicts of kept rules as they are stored, and back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from devices.rule_kinds.spec import Spec
from devices.rules import CheckResult, span_text


def to_verdict(result: CheckResult) -> dict[str, Any]:
    """What of a verdict doesn't follow from the rule, as JSON."""
    return {
        "state": result.state,
        "value": result.value,
        "since": result.since and result.since.isoformat(),
        "n": result.n,
        "text": result.text.removeprefix(f"{result.rule}: "),
        "low": result.low,
        "high": result.high,
        "baseline": result.baseline,
        "spread": result.spread,
    }


def from_verdict(
    spec: Spec, kept: Mapping[str, Any] | None, newest: datetime | None, at: datetime
) -> CheckResult:
    """The check as of a moment.

    Args:
        spec: the rule.
        kept: what `to_verdict` gave; `None` where nobody judged by then.
        newest: the last reading before `at`.
        at: aware.
    """
    limit = spec.limit
    told = dict(kept or {})
    state, text = told.get("state", "unknown"), told.get("text", "not judged yet")
    if newest is None:
        state, text = "unknown", "no reading"
    elif at - newest > timedelta(seconds=limit.max_age):
        state, text = "unknown", f"no reading for {span_text(at - newest)}"
    elif state in {"watch", "act"}:
        state = limit.severity  # the rule may have been sharpened since
    failing = state in {"watch", "act"}
    since = told.get("since")
    return CheckResult(
        rule_id=limit.rule_id,
        rule=limit.rule,
        metric=limit.metric,
        unit=spec.unit,
        state=state,
        value=told.get("value"),
        since=datetime.fromisoformat(since) if failing and since else None,
        n=told.get("n", 0) if failing else 0,
        low=told.get("low"),
        high=told.get("high"),
        affects_image=limit.affects_image,
        text=f"{limit.rule}: {text}",
        measured_at=newest,
        kind=spec.kind,
        baseline=told.get("baseline"),
        spread=told.get("spread"),
        version=spec.version,
    )
