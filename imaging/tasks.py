"""What workers do for this room."""

from __future__ import annotations

from celery import shared_task

from imaging.services.dose_reports import link_waiting_reports
from imaging.services.link import link_waiting_images
from imaging.services.sweep import sweep_incoming, sweep_orphans


@shared_task(soft_time_limit=300, time_limit=330)
def link_waiting_images_task() -> None:
    """Images and dose reports get the machines that were registered since they came."""
    link_waiting_images()
    link_waiting_reports()


@shared_task(soft_time_limit=60, time_limit=90)
def sweep_incoming_task() -> None:
    """The door's floor is swept, and a part of the archive looked through."""
    sweep_incoming()
    sweep_orphans()
