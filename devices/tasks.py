"""Work of the worker: load by id, call one service."""

from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from devices.services import evaluation, plans, wake


@shared_task(soft_time_limit=50, time_limit=55)
def evaluate_all_rules_task() -> None:
    """Beat: judge every machine's limits, so that nothing hangs on a lost message."""
    wake.take()  # they are about to be judged
    evaluation.evaluate_fleet(now=timezone.now())


@shared_task(soft_time_limit=50, time_limit=55)
def judge_waiting_task() -> None:
    """Readings arrived: judge the machines that wait for it."""
    if wake.sweep(now=timezone.now()):
        judge_waiting_task.hint()  # type: ignore[attr-defined]


@shared_task(soft_time_limit=300, time_limit=330)
def materialise_due_orders_task() -> None:
    """Beat: make the orders of maintenance that is due within its plan's lead."""
    plans.materialise_due_orders(now=timezone.now())
