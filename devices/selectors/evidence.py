"""Whether work on an alert holds: what was measured since, and what is still missing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Exists, OuterRef

from devices.models import Alert, Reading, Rule, WorkOrder
from devices.models.maintenance import Evidence
from devices.rule_kinds.spec import ELSEWHERE, OF_MACHINE

from .rules import spec_of_rule

# for lists of alerts: done work, of which nobody knows yet whether it held
WAITS = Exists(WorkOrder.objects.filter(alert=OuterRef("pk"), evidence=Evidence.WAITING))


def good_since(*, rule: Rule, device_id: int, after: datetime, until: datetime, most: int) -> int:
    """How many of the newest readings in a row were good, of those measured after a moment.

    Of a limit a good reading lies inside by the hysteresis. Other kinds look at more than one
    reading, so any counts, and the rule's own verdict says whether all is well.
    """
    found = Reading.objects.filter(
        device=device_id, metric=rule.metric_id, measured_at__gt=after, measured_at__lte=until
    ).order_by("-measured_at")
    values = list(found.values_list("value", flat=True)[:most])
    if rule.kind != "limit":
        return len(values)
    limit = spec_of_rule(rule).limit
    return next((n for n, value in enumerate(values) if not limit.clears(value)), len(values))


@dataclass(frozen=True, slots=True)
class Waiting:
    """Done work on an alert that has still to be shown to hold."""

    order: WorkOrder
    needed: int
    good: int
    by: datetime
    missing: str

    def as_json(self) -> dict[str, Any]:
        """`evidence` in REST."""
        return {
            "order": self.order.pk,
            "needed": self.needed,
            "good": self.good,
            "by": self.by,
            "missing": self.missing,
        }


def of_order(order: WorkOrder, now: datetime) -> Waiting | None:
    """What an order waits for; `None` where it doesn't."""
    if order.evidence != Evidence.WAITING or order.alert is None:
        return None
    rule = order.alert.rule
    done, by = order.completed_at, order.evidence_by
    if done is None or by is None:  # the database holds both
        return None
    needed = order.evidence_readings or 1
    if rule.kind in OF_MACHINE:
        missing = "The machine has to report again, and be as the rule wants it."
        if rule.kind in ELSEWHERE:
            missing = "A signed session of the QA protocol has to pass."
        good, needed = 0, 1
    else:
        good = good_since(rule=rule, device_id=order.device_id, after=done, until=now, most=needed)
        label = rule.metric.label if rule.metric else rule.name
        missing = f"{good} of {needed} good readings of {label} since the work was done."
        if good >= needed:
            missing += " The check itself isn't good yet."
    if not rule.enabled:
        missing = "The rule is switched off and says nothing: resolve the alert by hand."
    return Waiting(order, needed, good, by, missing)


def of_alert(alert: Alert, now: datetime) -> Waiting | None:
    """What the alert's newest done order waits for."""
    order = (
        WorkOrder.objects.filter(alert=alert, evidence=Evidence.WAITING)
        .select_related("alert__rule__metric", "alert__rule__current")
        .order_by("-completed_at", "-pk")
        .first()
    )
    return of_order(order, now) if order else None
