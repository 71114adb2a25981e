"""Work of the worker: call one service."""

from __future__ import annotations

from celery import shared_task

from notices.services import digests, telling


@shared_task(soft_time_limit=280, time_limit=300)
def tell_notices_task() -> None:
    """Beat: tell of what came due or was done since the last look."""
    telling.tell_all()


@shared_task(soft_time_limit=50, time_limit=60)
def make_digests_task() -> None:
    """Beat: queue the digests whose hour has come."""
    digests.make_due()
