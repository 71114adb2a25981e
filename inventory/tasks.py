"""Work of the worker: tables, audit files, recalls."""

from __future__ import annotations

from celery import shared_task

from inventory.services import audit_file_work, import_work, recall_matching


@shared_task(soft_time_limit=3_500, time_limit=3_600)
def run_import_task(import_id: int) -> None:
    """A table: its dry run, or apply it."""
    import_work.work(import_id=import_id)


@shared_task(soft_time_limit=3_500, time_limit=3_600)
def make_audit_file_task(file_id: int) -> None:
    """An audit file."""
    audit_file_work.work(file_id=file_id)


@shared_task(soft_time_limit=50, time_limit=60)
def send_lost_work_task() -> None:
    """Beat: what a worker left half done."""
    for import_id in import_work.lost():
        run_import_task.delay(import_id)
    for file_id in audit_file_work.lost():
        make_audit_file_task.delay(file_id)


@shared_task(soft_time_limit=1_700, time_limit=1_800)
def match_recalls_task() -> None:
    """Beat: every recall against every machine, for what machines report meanwhile."""
    recall_matching.match_all()
