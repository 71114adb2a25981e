"""Which moments a reading says something of: those whose health may change when it comes late."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import Max, Min, Q, QuerySet

from devices.models import Reading, Rule
from devices.models.rule import RuleKind

_INSTANT = timedelta(microseconds=1)


def reach(late: QuerySet[Reading]) -> list[tuple[datetime, datetime]]:
    """Spans `[start, end)` of moments whose health these readings of one machine may change.

    A reading counts from its own moment on. A rule forgets it at the next reading that clears the
    rule, and where none does, when the newest reading is older than the metric's `max_age`; before
    that the run of readings outside goes on, whatever the gaps in it. Rules of other kinds, and
    limits that keep firing for a while, forget nothing before that age. A metric that no rule
    watches reaches nothing.

    Args:
        late: the readings. A query for the metrics, then two for each rule.
    """
    spans = []
    found = late.values("device_id", "metric_id").annotate(
        first=Min("measured_at"), last=Max("measured_at")
    )
    for row in found.order_by("metric_id"):
        readings = Reading.objects.filter(device=row["device_id"], metric=row["metric_id"])
        rules = list(Rule.objects.filter(metric=row["metric_id"], enabled=True))
        if not rules:
            continue
        ends = [_forgotten(rule, readings, row["last"]) for rule in rules]
        spans.append((row["first"], max(ends)))
    return spans


def _forgotten(rule: Rule, readings: QuerySet[Reading], last: datetime) -> datetime:
    """When the rule no longer looks at a reading measured at `last`."""
    if rule.kind == RuleKind.LIMIT and not rule.keep_seconds:
        clears = readings.filter(_inside(rule), measured_at__gt=last)
        cleared = clears.aggregate(at=Min("measured_at"))["at"]
        if cleared is not None:
            return cleared
    newest = readings.aggregate(at=Max("measured_at"))["at"]
    age = readings.values_list("metric__max_age", flat=True)[0]
    return max(newest, last) + timedelta(seconds=age) + _INSTANT


def _inside(rule: Rule) -> Q:
    """Readings that clear the rule, as `devices.selectors.health` asks for them."""
    margin = rule.hysteresis
    if rule.low is not None and rule.high is not None:
        margin = min(margin, (rule.high - rule.low) / 2)
    inside = Q()
    if rule.low is not None:
        inside &= Q(value__gte=rule.low + margin)
    if rule.high is not None:
        inside &= Q(value__lte=rule.high - margin)
    return inside
