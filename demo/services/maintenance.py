"""Plans, orders and a downtime in every state that an admin meets; all synthetic."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import User
from devices.checklist_steps import Step
from devices.models import Device, MaintenancePlan, WorkOrder
from devices.services import downtimes, orders, plans, skills

QA_STEPS = (
    "Check cables, collimator and brakes",
    "Tube warm-up without arcing",
    "Flat-field image, uniformity within 5 %",
    "Exposure reproducibility over five shots",
    "Clean the housing and the detector",
)

# with numbers and a photo, as a phone takes them
MEASURED_STEPS: tuple[Step, ...] = (
    *QA_STEPS[:2],
    {"step": "Tube voltage at 70 kV", "kind": "number", "unit": "kV", "low": 68, "high": 72},
    {"step": "Label of the test object", "kind": "photo"},
    {"step": "Remarks", "kind": "text"},
)
MEASURES = "X-ray measurements"
YEAR = timedelta(days=365)


def seed_maintenance(*, devices: list[Device], admin: User, engineer: User, now: datetime) -> None:
    """One plan overdue, one due, others ahead; orders planned, scheduled, done; one downtime."""
    today = timezone.localdate(now)
    by_name = {device.name: device for device in devices}

    def plan(
        name: str, title: str, months: int, first_due_in: int, steps: tuple[Step, ...]
    ) -> MaintenancePlan:
        return plans.create(
            actor=admin,
            device=by_name[name],
            title=title,
            rrule=f"FREQ=MONTHLY;INTERVAL={months}",
            starts_on=today + timedelta(days=first_due_in),
            grace_days=7,
            lead_days=14,
            checklist=steps,
            now=now,
        )

    skills.give(
        actor=admin, person=engineer, name=MEASURES, valid_until=today.replace(day=1) + YEAR
    )
    plans.update(
        plan=plan("XR-1", "Preventive maintenance", 6, 6, MEASURED_STEPS),
        actor=admin,
        skills=[MEASURES],
        verify_required=True,
        now=now,
    )
    plan("XR-2", "Detector calibration", 3, -16, QA_STEPS[2:4])  # late beyond its grace
    plan("XR-3", "Preventive maintenance", 6, -2, QA_STEPS)  # due, within grace
    plan("CR-1", "Yearly safety check", 12, 45, QA_STEPS[:2])
    plan("MX-1", "Battery and brakes", 3, 11, QA_STEPS[:1])
    in_time = plan("XR-1", "Constancy test", 1, -1, QA_STEPS[2:4])
    _complete(in_time.orders.get(), engineer)

    orders.create(
        actor=admin,
        device=by_name["CR-1"],
        title="Update software to 7.2.0",
        description="Reported 7.1.0, wanted 7.2.0: see configuration drift.",
        due_on=today + timedelta(days=9),
        checklist=("Back up the configuration", "Install 7.2.0", "Take a test image"),
        assigned_to=engineer,
    )
    _scheduled(by_name["XR-3"], admin, engineer, now)
    _done(by_name["XR-1"], admin, engineer)
    downtimes.create(
        actor=engineer,
        device=by_name["XR-1"],
        reason="Tube warm-up failed; cable replaced (synthetic)",
        starts_at=now - timedelta(days=20, hours=5),
        ends_at=now - timedelta(days=20, hours=1),
    )


def _scheduled(device: Device, admin: User, engineer: User, now: datetime) -> None:
    order = orders.create(
        actor=admin,
        device=device,
        title="Check the detector's cooling",
        due_on=timezone.localdate(now) + timedelta(days=2),
        checklist=("Clean the air inlets", "Measure the temperature after 20 exposures"),
    )
    orders.schedule(
        order=order,
        actor=admin,
        scheduled_for=(now + timedelta(days=1)).replace(minute=0, second=0, microsecond=0),
        assigned_to=engineer,
    )


def _done(device: Device, admin: User, engineer: User) -> WorkOrder:
    order = orders.create(
        actor=admin,
        device=device,
        title="Replace the tube's high-voltage cable",
        due_on=timezone.localdate(),
        checklist=("Discharge and lock out", "Replace the cable", "Warm up the tube"),
        assigned_to=engineer,
    )
    return _complete(order, engineer)


def _complete(order: WorkOrder, engineer: User) -> WorkOrder:
    order = orders.start(order=order, actor=engineer)
    return orders.complete(
        order=order,
        actor=engineer,
        checklist=[True for _ in order.checklist],
        signature=str(engineer),
    )
