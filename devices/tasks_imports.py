"""Work of the worker on files of readings; apart, since storing readings sends a task itself."""

from __future__ import annotations

from celery import shared_task

from devices.services import reading_import_work


@shared_task(soft_time_limit=3_500, time_limit=3_600)
def run_reading_import_task(import_id: int) -> None:
    """A file of readings: look it through, or store it."""
    reading_import_work.work(import_id=import_id)


@shared_task(soft_time_limit=20, time_limit=30)
def send_lost_imports_task() -> None:
    """Beat: files that a worker left half done."""
    for import_id in reading_import_work.lost():
        run_reading_import_task.delay(import_id)
