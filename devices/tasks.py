"""Work of the worker: load by id, call one service."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from devices.services import (
    alert_news,
    deletion,
    evaluation,
    model_plans,
    outbox,
    partitions,
    plans,
    wake,
)

DELETE_SECONDS = 40.0  # a call; beat brings what is left
JUDGE_SECONDS = 40.0  # a call; what is left waits for the next message


@shared_task(soft_time_limit=50, time_limit=55)
def evaluate_all_rules_task() -> None:
    """Beat: judge every machine's limits, so that nothing hangs on a lost message."""
    wake.take()  # they are about to be judged
    now = timezone.now()
    left = evaluation.evaluate_fleet(now=now, seconds=JUDGE_SECONDS)
    if left:  # else a large fleet's last machines would never have their turn
        wake.put_back(device_ids=left, now=now)
        judge_waiting_task.hint()  # type: ignore[attr-defined]


@shared_task(soft_time_limit=50, time_limit=55)
def judge_waiting_task() -> None:
    """Readings arrived: judge the machines that wait for it."""
    if wake.sweep(now=timezone.now(), seconds=JUDGE_SECONDS):
        judge_waiting_task.hint()  # type: ignore[attr-defined]


@shared_task(soft_time_limit=300, time_limit=330)
def materialise_due_orders_task() -> None:
    """Beat: make the orders of maintenance that is due within its plan's lead."""
    model_plans.spread_all()
    plans.materialise_due_orders(now=timezone.now())


@shared_task(soft_time_limit=300, time_limit=330)
def make_partitions_task() -> None:
    """Beat: the months to come have their partition before their first reading."""
    partitions.make(now=timezone.now())


@shared_task(soft_time_limit=50, time_limit=60)
def release_alerts_task() -> None:
    """Tell of what was withheld for a reason that is gone; beat, and a hint when one ends."""
    alert_news.release(now=timezone.now())


@shared_task(soft_time_limit=50, time_limit=60)
def escalate_alerts_task() -> None:
    """Beat: tell, once, of act alerts that nobody acknowledged in time."""
    alert_news.escalate(now=timezone.now())


@shared_task(soft_time_limit=40, time_limit=60)
def deliver_notification_task(notification_id: int) -> None:
    """Deliver one notification."""
    outbox.deliver(notification_id=notification_id)


@shared_task(soft_time_limit=20, time_limit=30)
def deliver_due_notifications_task() -> None:
    """Beat: deliver what waits for another try, and what a lost message or worker left."""
    for notification_id in outbox.due():
        deliver_notification_task.delay(notification_id)


@shared_task(soft_time_limit=280, time_limit=300)
def apply_retention_task(run_id: int) -> None:
    """A person ordered a deletion."""
    deletion.work(run_id=run_id, seconds=DELETE_SECONDS)


@shared_task(soft_time_limit=280, time_limit=300)
def continue_retention_task() -> None:
    """Beat: go on with deletions that were ordered and aren't done."""
    deletion.work_off(seconds=DELETE_SECONDS)
