"""Rows for the maintenance tests, made through the services."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from devices.models import Alert, Device, MaintenancePlan, WorkOrder
from devices.services import orders, plans
from tests.devices.factories import NOW, user, watched_device
from tests.devices.factories import device as make_device

STEPS = ("clean the grid", "check the collimator")

__all__ = ["STEPS", "admin", "make_alert", "make_device", "make_order", "make_plan", "today"]


def admin() -> User:
    return user(Role.ADMIN)


def today(days: int = 0) -> date:
    return timezone.localdate() + timedelta(days=days)


def make_plan(device: Device | None = None, **fields: Any) -> MaintenancePlan:
    """A quarterly plan with two steps, due today."""
    fields = {
        "actor": fields.pop("actor", None) or admin(),
        "device": device or make_device(),
        "title": "Quarterly service",
        "rrule": "FREQ=MONTHLY;INTERVAL=3",
        "starts_on": today(),
        "checklist": STEPS,
        **fields,
    }
    return plans.create(**fields)


def make_order(state: str = "planned", **fields: Any) -> WorkOrder:
    """An order brought to a state by its steps."""
    worker = fields.pop("worker", None) or user()
    order = orders.create(
        actor=fields.pop("actor", None) or (worker if state == "requested" else admin()),
        device=fields.pop("device", None) or make_device(),
        title=fields.pop("title", "Fix the grid"),
        checklist=fields.pop("checklist", STEPS),
        **fields,
    )
    if state in {"scheduled", "in_progress", "on_hold", "done", "verified"}:
        order = orders.schedule(order=order, actor=worker, scheduled_for=timezone.now())
    if state in {"in_progress", "on_hold", "done", "verified"}:
        order = orders.start(order=order, actor=worker)
    if state == "on_hold":
        order = orders.hold(order=order, actor=worker, reason="waiting for a part")
    if state in {"done", "verified"}:
        answers = [True] * len(order.checklist)
        order = orders.complete(order=order, actor=worker, checklist=answers, signature="W. Orker")
    if state == "verified":
        order = orders.verify(order=order, actor=user())
    if state == "cancelled":
        order = orders.cancel(order=order, actor=worker, reason="not needed")
    assert order.state == state
    return order


def make_alert() -> Alert:
    device, _, rule = watched_device()
    return Alert.objects.create(
        device=device,
        rule=rule,
        severity="act",
        message="noise too high",
        since=NOW,
        opened_at=NOW,
        last_seen_at=NOW,
        value=11.0,
    )
