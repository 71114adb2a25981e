"""Work of the worker: load by id, call one service."""

from __future__ import annotations

from celery import shared_task

from reading.services import critical, critical_email


@shared_task(soft_time_limit=20, time_limit=30)
def escalate_critical_results_task() -> None:
    """Beat: tell the next person of each critical result that nobody acknowledged in time."""
    critical.escalate()


@shared_task(soft_time_limit=40, time_limit=60)
def send_critical_email_task(email_id: int) -> None:
    """Send one e-mail that tells of a critical result."""
    critical_email.send(email_id=email_id)


@shared_task(soft_time_limit=20, time_limit=30)
def send_due_critical_emails_task() -> None:
    """Beat: send what waits for another try, and what a lost message or a dead worker left."""
    for email_id in critical_email.due():
        send_critical_email_task.delay(email_id)
