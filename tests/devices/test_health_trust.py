"""Worst check wins, silence is never good news, and trust follows from what concerns the image."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from devices.health import Health, combine, sort_key
from devices.rules import CheckResult
from devices.trust import device_trust

SINCE = datetime(2026, 3, 1, tzinfo=UTC)


def result(state: Any, *, affects_image: bool = True, rule_id: int = 1) -> CheckResult:
    return CheckResult(
        rule_id=rule_id,
        rule=f"rule {rule_id}",
        metric="m",
        unit="1",
        state=state,
        value=1.0,
        since=SINCE if state in {"act", "watch"} else None,
        n=1,
        low=None,
        high=1.0,
        affects_image=affects_image,
        text=f"{state} text",
    )


@pytest.mark.parametrize(
    ("states", "state", "score", "coverage"),
    [
        (["ok", "ok"], "ok", 100, (2, 2)),
        (["ok", "watch"], "watch", 75, (2, 2)),
        (["ok", "watch", "act", "unknown"], "act", 50, (3, 4)),
        (["ok", "unknown"], "ok", 100, (1, 2)),
        (["unknown", "unknown"], "unknown", None, (0, 2)),
        ([], "unknown", None, (0, 0)),
    ],
)
def test_combine(states: list[str], state: str, score: int | None, coverage: Any) -> None:
    health = combine(result(s, rule_id=i) for i, s in enumerate(states))
    assert (health.state, health.score, health.coverage) == (state, score, coverage)


def test_the_worst_check_comes_first() -> None:
    health = combine([result("ok", rule_id=1), result("act", rule_id=2)])
    assert health.worst is not None
    assert health.worst.rule_id == 2
    assert combine([result("ok")]).worst is None
    assert combine([]).worst is None


def test_worst_machines_first() -> None:
    machines = [combine([result(s)]) for s in ("ok", "unknown", "act", "watch")]
    assert [h.state for h in sorted(machines, key=sort_key)] == ["act", "watch", "unknown", "ok"]


def trust(*checks: CheckResult) -> Any:
    return device_trust(combine(checks))


def test_trust() -> None:
    assert trust(result("ok")).level == "full"
    assert trust(result("watch")).level == "full"
    assert trust(result("ok"), result("unknown", rule_id=2)).level == "full"
    assert trust(result("act", affects_image=False), result("ok", rule_id=2)).level == "full"
    assert trust(result("unknown")).level == "unknown"
    assert trust().level == "unknown"
    assert device_trust(None).level == "unknown"
    assert device_trust(Health("ok", 100, (1, 1), ())).level == "full"


def test_reduced_trust_names_the_failing_checks() -> None:
    reduced = trust(result("act", rule_id=7), result("watch", rule_id=8))
    assert reduced.level == "reduced"
    assert reduced.reasons == (
        {"rule": "rule 7", "state": "act", "text": "act text", "since": SINCE.isoformat()},
    )
    json.dumps(reduced.reasons)


def test_good_upkeep_says_nothing_about_the_picture() -> None:
    mixed = trust(result("ok", affects_image=False), result("unknown", rule_id=2))
    assert mixed.level == "unknown"
    assert [r["rule"] for r in mixed.reasons] == ["rule 2"]
