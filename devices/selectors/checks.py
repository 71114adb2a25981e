"""One check of one machine, and its chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from devices.models import Alert, Device, Rule
from devices.rules import CheckResult, amount
from twinhealth.errors import NotFoundError

from .health import health_at
from .rules import model_of
from .twin import Charts, charts, journal

BAND = 2.0  # standard deviations to either side of a baseline


def check_of(device: Device, rule: Rule, at: datetime) -> CheckResult | None:
    """What the rule says of the machine; `None` where it says nothing (off, nothing wanted).

    Raises:
        NotFoundError: `check_not_found` for a rule of another make.
    """
    if model_of(rule).pk != device.model_id:
        raise NotFoundError("check_not_found", "This rule doesn't watch this machine.")
    checks = health_at(device, at).checks
    return next((c for c in checks if c.rule_id == rule.pk), None)


def chart(
    device: Device,
    rule: Rule,
    found: CheckResult | None,
    alerts: Sequence[Alert],
    *,
    end: datetime,
    span: timedelta,
) -> Charts:
    """The metric with limits, the baseline's band, and bars where this rule's alerts were open."""
    made = charts(
        device, end=end, span=span, journal_rows=journal(device, end), only=rule.metric_id
    )
    for drawn in made.data["charts"]:
        drawn["bars"] = [
            {
                "from": alert.since.timestamp(),
                "to": (alert.cleared_at or alert.resolved_at or end).timestamp(),
                "severity": alert.severity,
            }
            for alert in alerts
        ]
        if found is not None and found.baseline is not None and rule.metric is not None:
            edge = BAND * (found.spread or 0.0)
            drawn["baseline"] = {
                "low": found.baseline - edge,
                "high": found.baseline + edge,
                "text": f"usual {amount(found.baseline, rule.metric.unit)}",
            }
    return made
