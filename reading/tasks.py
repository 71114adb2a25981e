"""Work of the worker: load by id, call one service."""

from __future__ import annotations

from celery import shared_task

from reading.services import critical


@shared_task(soft_time_limit=20, time_limit=30)
def escalate_critical_results_task() -> None:
    """Beat: tell the next person of each critical result that nobody acknowledged in time."""
    critical.escalate()
