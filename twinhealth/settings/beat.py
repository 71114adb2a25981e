"""What beat sends, and how often in seconds."""

from __future__ import annotations


def beat_schedule(*, requeue: float) -> dict[str, dict[str, object]]:
    """Tasks by name.

    Args:
        requeue: seconds between two looks for runs that were lost.
    """
    return {
        "detection-requeue": {
            "task": "detection.tasks.requeue_lost_runs_task",
            "schedule": requeue,
        },
        "detection-trust": {
            "task": "detection.tasks.refresh_trust_task",
            "schedule": 60.0,
        },
        "detection-re-reads": {
            "task": "detection.tasks.work_lists_task",
            "schedule": 60.0,
        },
        "detection-exports": {
            "task": "detection.tasks.requeue_lost_exports_task",
            "schedule": 30.0,
        },
        "detection-uploads": {
            "task": "detection.tasks.requeue_lost_uploads_task",
            "schedule": 30.0,
        },
        "reading-critical": {
            "task": "reading.tasks.escalate_critical_results_task",
            "schedule": 15.0,
        },
        "reading-critical-emails": {
            "task": "reading.tasks.send_due_critical_emails_task",
            "schedule": 15.0,
        },
        "imaging-link-waiting": {
            "task": "imaging.tasks.link_waiting_images_task",
            "schedule": 30.0,
        },
        "imaging-sweep-incoming": {
            "task": "imaging.tasks.sweep_incoming_task",
            "schedule": 3600.0,
        },
        "devices-evaluate-rules": {
            "task": "devices.tasks.evaluate_all_rules_task",
            "schedule": 60.0,
        },
        "devices-partitions": {
            "task": "devices.tasks.make_partitions_task",
            "schedule": 3600.0,
        },
        "devices-release-alerts": {
            "task": "devices.tasks.release_alerts_task",
            "schedule": 30.0,
        },
        "devices-escalate-alerts": {
            "task": "devices.tasks.escalate_alerts_task",
            "schedule": 30.0,
        },
        "devices-notifications": {
            "task": "devices.tasks.deliver_due_notifications_task",
            "schedule": 15.0,
        },
        "detection-reject-rates": {
            "task": "detection.tasks.record_reject_rates_task",
            "schedule": 3600.0,
        },
        "devices-retention": {
            "task": "devices.tasks.continue_retention_task",
            "schedule": 60.0,
        },
        "devices-imports": {
            "task": "devices.tasks_imports.send_lost_imports_task",
            "schedule": 60.0,
        },
        "devices-plan-orders": {
            "task": "devices.tasks.materialise_due_orders_task",
            "schedule": 900.0,
        },
        "inventory-work": {
            "task": "inventory.tasks.send_lost_work_task",
            "schedule": 60.0,
        },
        "inventory-recalls": {
            "task": "inventory.tasks.match_recalls_task",
            "schedule": 3600.0,
        },
        "notices-tell": {
            "task": "notices.tasks.tell_notices_task",
            "schedule": 300.0,
        },
        "notices-digests": {
            "task": "notices.tasks.make_digests_task",
            "schedule": 120.0,
        },
    }
