"""A machine's health: the worst of its checks, each of which can be looked at. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from .rules import CheckResult, State

ORDER: dict[str, int] = {"act": 0, "watch": 1, "unknown": 2, "ok": 3}
_WORST_FIRST: tuple[State, ...] = ("act", "watch", "ok")
_POINTS: dict[str, float] = {"ok": 1.0, "watch": 0.5, "act": 0.0}


@dataclass(frozen=True, slots=True)
class Health:
    """The worst answered check wins.

    Attributes:
        state: `unknown` where no check was answered, or where nothing failed but most checks
            were silent: a machine isn't well because the little it said was good.
        score: 0 (bad) to 100, for sorting only; `None` while unknown.
        coverage: (checks that were answered, checks there are).
        checks: worst first.
    """

    state: State
    score: int | None
    coverage: tuple[int, int]
    checks: tuple[CheckResult, ...]

    @property
    def worst(self) -> CheckResult | None:
        """The check that decided, if it isn't a good one."""
        first = self.checks[0] if self.checks else None
        return first if first is not None and first.state != "ok" else None


def _rank(check: CheckResult) -> tuple[int, str, int]:
    return (ORDER[check.state], check.rule, check.rule_id)


def combine(checks: Iterable[CheckResult]) -> Health:
    """One health from all checks; an unanswered one lowers the coverage and is never good news."""
    ordered = tuple(sorted(checks, key=_rank))
    answered = [c for c in ordered if c.state != "unknown"]
    coverage = (len(answered), len(ordered))
    if not answered:
        return Health("unknown", None, coverage, ordered)
    state = next(s for s in _WORST_FIRST if any(c.state == s for c in answered))
    if state == "ok" and 2 * len(answered) < len(ordered):
        return Health("unknown", None, coverage, ordered)
    score = round(100 * sum(_POINTS[c.state] for c in answered) / len(answered))
    return Health(state, score, coverage, ordered)


def sort_key(health: Health) -> tuple[int, int]:
    """Worst first: act, watch, unknown, ok; then by score."""
    return (ORDER[health.state], health.score if health.score is not None else -1)
