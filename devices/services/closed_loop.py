"""An alert's order closes the alert only once the machine shows that the work held.

Evidence is good readings measured after the work, or a passed test. Without it in time, or where
the check fails again, the order goes back to work. The caller holds the machine's twin, so two
looks at one machine never meet.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from devices import checklist as steps_of
from devices.models import Alert, AlertNote, AlertState, WorkOrder, WorkOrderEvent
from devices.models.device import Lifecycle
from devices.models.maintenance import Evidence, OrderState
from devices.order_steps import OPEN, TRANSITIONS
from devices.rule_kinds.spec import KEPT, OF_MACHINE
from devices.rules import CheckResult, check
from devices.selectors.evidence import good_since
from devices.selectors.rules import Watched

from . import alerts
from .events import lock_twin
from .order_changes import changes, finish

# a statistic over days can't be good the day after a repair; still failing then, it rings again
RINGS_AGAIN = timedelta(days=7)


def fails_since(item: Watched, moment: datetime, now: datetime) -> CheckResult | None:
    """What a failing check says by what came after a moment alone; `None`: nothing new.

    Of a limit the readings since are judged by themselves. Any other kind must have begun to fail
    anew, or still fail `RINGS_AGAIN` after.
    """
    result = item.result
    if item.spec.kind == "limit":
        later = [s for s in item.samples if s.at > moment]
        found = check(item.spec.limit, later, now, version=item.spec.version)
        return found if found.state in {"watch", "act"} else None
    begun = result.since is not None and result.since > moment
    return result if begun or now - moment >= RINGS_AGAIN else None


def begin(order: WorkOrder) -> None:
    """The work is done: from now on evidence is waited for, if its alert still stands."""
    order.evidence, order.evidence_text = Evidence.NONE, ""
    alert = order.alert
    if alert is None or alert.state == AlertState.RESOLVED or order.completed_at is None:
        return
    span = timedelta(hours=settings.ORDER_EVIDENCE_HOURS)
    if alert.rule.kind in KEPT:
        span = timedelta(days=settings.ORDER_EVIDENCE_DAYS)
    order.evidence = Evidence.WAITING
    order.evidence_readings = settings.ORDER_EVIDENCE_READINGS
    order.evidence_by = order.completed_at + span
    AlertNote.objects.create(
        alert=alert, by=order.completed_by, verb="work done", text=f"{order}: waiting for evidence"
    )


def look(*, device_id: int, verdicts: Sequence[Watched], now: datetime) -> None:
    """Settle the orders of one machine that wait for evidence, as far as can be told."""
    by_rule = {item.result.rule_id: item for item in verdicts}
    for order in _waiting(device_id):
        alert = order.alert
        if alert is None or alert.state == AlertState.RESOLVED:
            continue
        item = by_rule.get(alert.rule_id)
        if item is None and not alert.rule.enabled:
            continue  # nothing can be shown: a person resolves the alert
        if item is not None:
            shown = _shown(order, item, now)
            if shown:
                _hold(order, shown, now)
                continue
            again = _again(order, item, now)
            if again is not None:
                send_back(order, f"The check failed again: {again.text}", now)
                continue
        if order.evidence_by is not None and now >= order.evidence_by:
            by = timezone.localtime(order.evidence_by)
            send_back(order, f"No evidence that it held came by {by:%Y-%m-%d %H:%M}.", now)


def _waiting(device_id: int) -> list[WorkOrder]:
    found = WorkOrder.objects.filter(device=device_id, evidence=Evidence.WAITING)
    locked = found.select_related("alert__rule__metric", "alert__rule__current", "device")
    return list(locked.select_for_update(no_key=True, of=("self",)).order_by("pk"))


def _shown(order: WorkOrder, item: Watched, now: datetime) -> str:
    """The evidence in words; empty while there is none."""
    rule, done = item.result, order.completed_at
    if rule.state != "ok" or order.alert is None or done is None:
        return ""
    if order.alert.rule.kind in OF_MACHINE:
        reported = rule.measured_at is not None and rule.measured_at > done
        return f"The machine reported again: {rule.text}" if reported else ""
    needed = order.evidence_readings or 1
    good = good_since(
        rule=order.alert.rule, device_id=order.device_id, after=done, until=now, most=needed
    )
    return f"{good} good readings of {rule.metric} after the work" if good >= needed else ""


def _again(order: WorkOrder, item: Watched, now: datetime) -> CheckResult | None:
    if item.result.state not in {"watch", "act"} or order.completed_at is None:
        return None
    return fails_since(item, order.completed_at, now)


def _hold(order: WorkOrder, shown: str, now: datetime) -> None:
    """It held: the alert is resolved by its order."""
    alert = order.alert
    assert alert is not None  # noqa: S101 - looked at before
    order.evidence, order.evidence_text = Evidence.SHOWN, shown[:300]
    order.save(update_fields=["evidence", "evidence_text"])
    _say(order, f"{shown}; the alert is resolved")
    alerts.resolve_by_evidence(alert=alert, text=f"{order}: {shown}", now=now)
    # another order of the same alert waits for the same
    rest = WorkOrder.objects.filter(alert=alert, evidence=Evidence.WAITING)
    rest.update(evidence=Evidence.SHOWN, evidence_text=order.evidence_text)


@transaction.atomic
def qa_passed(
    *,
    device_id: int,
    at: datetime,
    name: str,
    metric_ids: Collection[int] | None = None,
    rule_ids: Collection[int] = (),
) -> int:
    """A test passed: alerts whose work was done before it are resolved.

    Args:
        device_id: of which machine.
        at: when it was tested.
        name: of the test, for the record.
        metric_ids: metrics of which the test says something; `None`: of the whole machine.
        rule_ids: rules of which it says something besides.

    Returns:
        Orders shown to hold.
    """
    lock_twin(device_id)
    count = 0
    for order in _waiting(device_id):
        alert, done = order.alert, order.completed_at
        if alert is None or alert.state == AlertState.RESOLVED or done is None or at <= done:
            continue
        concerns = metric_ids is None or alert.rule.metric_id in metric_ids
        if not concerns and alert.rule_id not in rule_ids:
            continue
        _hold(order, f"Test passed: {name}", timezone.now())
        count += 1
    return count


def came_back(alert: Alert, now: datetime) -> None:
    """The alert is open again within a day: the newest work that closed it didn't hold."""
    order = (
        WorkOrder.objects.select_for_update(no_key=True, of=("self",))
        .select_related("alert", "device")
        .filter(alert=alert, evidence=Evidence.SHOWN)
        .order_by("-completed_at", "-pk")
        .first()
    )
    if order is not None and order.state in {OrderState.DONE, OrderState.VERIFIED}:
        send_back(order, f"The alert came back: {alert.message}", now)


def send_back(order: WorkOrder, why: str, now: datetime) -> None:
    """Done -> in progress, as the system's own step; a verified order gets a follow-up instead.

    Where somebody has made another order for the alert, that one goes on and this one stays.
    """
    order.evidence, order.evidence_text = Evidence.FAILED, why[:300]
    other = WorkOrder.objects.filter(alert=order.alert_id, state__in=OPEN).first()
    if other is not None:
        order.save(update_fields=["evidence", "evidence_text"])
        _say(order, f"{why} WO-{other.pk} goes on with it.")
        return
    if order.state == OrderState.VERIFIED:
        order.save(update_fields=["evidence", "evidence_text"])
        _follow(order, why)
        return
    before, order.state = order.state, TRANSITIONS[order.state, "reopen"]
    # what was signed stays in the event of the completion
    order.checklist, order.out_of_limits = steps_of.unticked(order.checklist), False
    order.completed_at = order.completed_by = None
    order.signature = ""
    finish(order, before, "reopen", None, None, note=why)
    _tell_alert(order, f"{order} goes back to work. {why}")


def _follow(order: WorkOrder, why: str) -> None:
    """A verified order is a closed record; another one goes on with the work."""
    if order.device.lifecycle == Lifecycle.RETIRED:
        _say(order, why)
        return
    following = WorkOrder.objects.create(
        device=order.device,
        alert=order.alert,
        follows=order,
        title=f"Again: {order.title.removeprefix('Again: ')}"[:200],
        description=f"WO-{order.pk} was verified, but: {why}",
        state=OrderState.PLANNED,
        checklist=steps_of.unticked(order.checklist),
        assigned_to=order.assigned_to,
        is_synthetic=order.is_synthetic,
    )
    WorkOrderEvent.objects.create(
        order=following,
        to_state=following.state,
        note=f"follows WO-{order.pk}. {why}"[:1000],
        detail=changes(following, None, None),
    )
    _say(order, f"{why} WO-{following.pk} follows.")
    _tell_alert(order, f"{following} follows WO-{order.pk}. {why}")


def _say(order: WorkOrder, note: str) -> None:
    WorkOrderEvent.objects.create(
        order=order, from_state=order.state, to_state=order.state, note=note[:1000]
    )


def _tell_alert(order: WorkOrder, text: str) -> None:
    if order.alert_id is not None:
        AlertNote.objects.create(alert_id=order.alert_id, verb="ordered", text=text[:1000])
