"""Work for Celery: an id in, one service call."""

from __future__ import annotations

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from detection.services.apart import read_apart, waiting
from detection.services.dataset_exports import execute_export, requeue_lost_exports
from detection.services.execute import execute_run
from detection.services.reject_rates import record_reject_rates
from detection.services.requeue import requeue_lost_runs
from detection.services.trust import refresh_late_trust
from detection.services.weights_check import (
    check_upload,
    remove_refused_files,
    requeue_lost_uploads,
)

# below the lease, so that a worker is stopped before its run may be taken over
_HARD = max(2, int(settings.RUN_LEASE_SECONDS * 0.9))
_SOFT = max(1, int(settings.RUN_LEASE_SECONDS * 0.8))


@shared_task(soft_time_limit=_SOFT, time_limit=_HARD)
def execute_run_task(run_id: int) -> None:
    """Read one film."""
    execute_run(run_id=run_id)


@shared_task(soft_time_limit=50, time_limit=60)
def requeue_lost_runs_task() -> None:
    """Send again what was lost, and what may be done meanwhile; beat calls it all the time."""
    for run_id in requeue_lost_runs():
        execute_run_task.delay(run_id)
    if waiting().exists():
        read_apart_task.apply_async(expires=settings.RUN_RESEND_SECONDS)


@shared_task(soft_time_limit=50, time_limit=60)
def refresh_trust_task() -> None:
    """Compute trust again where readings came late; beat calls it every minute."""
    refresh_late_trust()


@shared_task(soft_time_limit=50, time_limit=60)
def record_reject_rates_task() -> None:
    """Tell each machine the share of its films that were refused; beat calls it every hour."""
    record_reject_rates(now=timezone.now())


@shared_task(soft_time_limit=_SOFT, time_limit=_HARD)
def read_apart_task() -> None:
    """Read films apart from the clinicians' pages for a while; the rest waits for the next call."""
    read_apart(seconds=_SOFT / 2)


@shared_task
def export_dataset_task(export_id: int) -> None:
    """Write a set as a zip; it takes as long as there are films, and its lease tells a dead one."""
    execute_export(export_id=export_id)


@shared_task(soft_time_limit=50, time_limit=60)
def requeue_lost_exports_task() -> None:
    """Send lost exports again; beat calls it every half minute."""
    for export_id in requeue_lost_exports():
        export_dataset_task.delay(export_id)


@shared_task(soft_time_limit=_SOFT, time_limit=_HARD)
def check_upload_task(upload_id: int) -> None:
    """Check weights that an admin sent."""
    check_upload(upload_id=upload_id)


@shared_task(soft_time_limit=50, time_limit=60)
def requeue_lost_uploads_task() -> None:
    """Send lost checks again, and remove what a dying one left; beat calls it every half minute."""
    for upload_id in requeue_lost_uploads():
        check_upload_task.delay(upload_id)
    remove_refused_files()
