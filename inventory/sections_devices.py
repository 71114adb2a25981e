"""Sections of the audit file about a machine and the work on it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from accounts.models import AuditEntry
from devices import checklist as steps_of
from devices.checklist_steps import Kind
from devices.dossier import Section
from devices.journal_words import sentence
from devices.models import (
    Alert,
    Cost,
    Device,
    Downtime,
    Labour,
    MaintenancePlan,
    OrderFile,
    TwinEvent,
    WorkOrder,
    WorkOrderEvent,
)
from devices.models.maintenance import OrderState, Timing
from devices.models.twin import EventKind
from devices.order_steps import FINISHED
from devices.selectors_due import late_after

Cells = Iterator[list[Any]]
# of the machine's journal: what people did to it; readings and alerts have their own places
_JOURNAL = (
    EventKind.REGISTERED, EventKind.LIFECYCLE, EventKind.CONFIG_DESIRED, EventKind.CONFIG_REPORTED,
    EventKind.DETAILS_CHANGED, EventKind.DEGRADED, EventKind.DEGRADED_ENDED,
    EventKind.DEGRADED_WITHDRAWN, EventKind.COMPONENT_INSTALLED, EventKind.COMPONENT_REMOVED,
    EventKind.COMPONENT_CORRECTED, EventKind.ALIAS_CONFIRMED,
)  # fmt: skip


def name(person: Any) -> str:
    """Who; the system where nobody."""
    return f"{person} ({person.username})" if person else ""


def days(start: datetime, end: datetime) -> tuple[date, date]:
    """First and last day of a period."""
    return timezone.localdate(start), timezone.localdate(end - timedelta(microseconds=1))


def orders(device: Device, start: datetime, end: datetime) -> QuerySet[WorkOrder]:
    """Those that were due, open or had any step in the period."""
    first, last = days(start, end)
    there = Q(created_at__lt=end) & (
        Q(completed_at__gte=start) | Q(completed_at=None) & ~Q(state=OrderState.CANCELLED)
    )
    moved = WorkOrderEvent.objects.filter(order__device=device, at__gte=start, at__lt=end)
    return (
        WorkOrder.objects.filter(device=device)
        .filter(there | Q(due_on__range=(first, last)) | Q(pk__in=moved.values("order_id")))
        .select_related("plan", "assigned_to", "completed_by", "verified_by", "created_by")
        .order_by("pk")
    )


def _machine(device: Device, start: datetime, end: datetime) -> Cells:
    yield [
        device.serial, device.name, device.model.manufacturer, device.model.name,
        device.model.modality, device.location, device.udi, device.get_criticality_display(),
        device.get_lifecycle_display(), device.registered_at,
        "synthetic" if device.is_synthetic else "",
    ]  # fmt: skip


def _journal(device: Device, start: datetime, end: datetime) -> Cells:
    found = TwinEvent.objects.filter(device=device, kind__in=_JOURNAL, at__gte=start, at__lt=end)
    for event in found.select_related("actor").order_by("at", "revision"):
        words = sentence(event.kind, event.payload)
        yield [event.at, event.get_kind_display(), words, name(event.actor)]


def _plans(device: Device, start: datetime, end: datetime) -> Cells:
    found = MaintenancePlan.objects.filter(device=device, created_at__lt=end)
    for plan in found.select_related("created_by", "meter").order_by("pk"):
        rule = plan.rrule
        if plan.timing == Timing.METER and plan.meter is not None:
            rule = f"every {plan.meter_every:g} {plan.meter.unit} of {plan.meter.label}"
        yield [
            plan.pk, plan.title, plan.get_timing_display(), rule, plan.starts_on, plan.grace_days,
            len(plan.checklist), plan.verify_required, plan.active, name(plan.created_by),
            plan.created_at,
        ]  # fmt: skip


def in_time(order: WorkOrder, last: date) -> str:
    """What became of a due date, as of the period's last day."""
    latest = late_after(order)
    if order.state == OrderState.CANCELLED:
        return "cancelled"
    if latest is None:
        return ""
    if order.state in FINISHED and order.completed_at is not None:
        return "in time" if timezone.localdate(order.completed_at) <= latest else "late"
    return "not done in time" if latest <= last else "not yet due"


def _due(device: Device, start: datetime, end: datetime) -> Cells:
    first, last = days(start, end)
    found = orders(device, start, end).filter(due_on__range=(first, last))
    for order in found.order_by("due_on", "pk"):
        yield [
            order.due_on, late_after(order), f"WO-{order.pk}", order.title,
            order.plan.title if order.plan else "", order.completed_at, in_time(order, last),
            order.cancel_reason,
        ]  # fmt: skip


def _orders(device: Device, start: datetime, end: datetime) -> Cells:
    for order in orders(device, start, end):
        yield [
            f"WO-{order.pk}", order.title, order.get_state_display(), order.created_at,
            name(order.created_by), order.due_on, order.started_at, order.completed_at,
            name(order.completed_by), order.signature, order.verified_at,
            name(order.verified_by), order.out_of_limits, order.evidence_text,
        ]  # fmt: skip


def _steps(device: Device, start: datetime, end: datetime) -> Cells:
    for order in orders(device, start, end):
        for number, item in enumerate(order.checklist, start=1):
            kind = steps_of.kind_of(item)
            outside = "beyond limits" if steps_of.outside(item) else ""
            value = item.get("value")
            if kind == Kind.PHOTO and value is not None:
                value = f"file {value}"
            yield [
                f"WO-{order.pk}", number, item["step"], str(kind),
                "done" if item["done"] else "not done", value, item.get("unit", ""),
                steps_of.allowed(item), outside, item["note"],
            ]  # fmt: skip


def _history(device: Device, start: datetime, end: datetime) -> Cells:
    found = WorkOrderEvent.objects.filter(order__device=device, at__gte=start, at__lt=end)
    for event in found.select_related("by").order_by("order_id", "at", "pk"):
        yield [
            f"WO-{event.order_id}", event.at, event.label, event.note, name(event.by), event.detail
        ]  # fmt: skip


def _files(device: Device, start: datetime, end: datetime) -> Cells:
    found = OrderFile.objects.filter(order__in=orders(device, start, end).order_by().values("pk"))
    for file in found.select_related("by").order_by("order_id", "pk"):
        yield [
            f"WO-{file.order_id}", file.pk, file.filename, file.kind, file.size, file.sha256,
            name(file.by), file.at,
        ]  # fmt: skip


def _booked(device: Device, start: datetime, end: datetime) -> Cells:
    inside: dict[str, Any] = {"order__device": device, "at__gte": start, "at__lt": end}
    for row in Labour.objects.filter(**inside).select_related("person", "by").order_by("pk"):
        yield [
            f"WO-{row.order_id}", "labour", row.note, row.minutes, "min", name(row.person),
            name(row.by), row.at,
        ]  # fmt: skip
    for cost in Cost.objects.filter(**inside).select_related("by").order_by("pk"):
        yield [
            f"WO-{cost.order_id}", "cost", cost.what, cost.amount, "", "", name(cost.by), cost.at
        ]  # fmt: skip


def _downtimes(device: Device, start: datetime, end: datetime) -> Cells:
    for row in _down(device, start, end).select_related("created_by"):
        yield [
            row.pk, row.starts_at, row.ends_at, row.planned, row.get_extent_display(), row.reason,
            f"WO-{row.order_id}" if row.order_id else "", name(row.created_by),
        ]  # fmt: skip


def _down(device: Device, start: datetime, end: datetime) -> QuerySet[Downtime]:
    lasting = Q(ends_at=None) | Q(ends_at__gt=start)
    return Downtime.objects.filter(lasting, device=device, starts_at__lt=end).order_by(
        "starts_at", "pk"
    )


def _corrections(device: Device, start: datetime, end: datetime) -> Cells:
    """What downtimes said before, and those that were taken away; from the audit trail."""
    ids = [str(pk) for pk in _down(device, start, end).values_list("pk", flat=True)]
    found = AuditEntry.objects.filter(object_type="devices.Downtime").filter(
        Q(verb="corrected", object_id__in=ids) | Q(verb="removed", detail__was__device=device.pk)
    )
    for entry in found.order_by("at", "id"):
        was = entry.detail.get("was", {})
        if was and not _touches(was, start, end):
            continue
        yield [
            entry.object_id, entry.at, entry.verb, entry.detail.get("why", ""), entry.actor_name,
            was or entry.detail.get("changed", {}),
        ]  # fmt: skip


def _touches(was: dict[str, Any], start: datetime, end: datetime) -> bool:
    begins = parse_datetime(str(was.get("starts_at")))
    ends = parse_datetime(str(was["ends_at"])) if was.get("ends_at") else None
    return begins is None or (begins < end and (ends is None or ends > start))


def _alerts(device: Device, start: datetime, end: datetime) -> Cells:
    lasting = Q(resolved_at=None) | Q(resolved_at__gte=start)
    found = Alert.objects.filter(lasting, device=device, opened_at__lt=end)
    found = found.select_related("acknowledged_by", "resolved_by").prefetch_related("orders")
    for alert in found.order_by("opened_at", "pk"):
        made = ", ".join(f"WO-{order.pk}" for order in alert.orders.all())
        yield [
            alert.pk, alert.opened_at, alert.severity, alert.message, alert.recurrences,
            alert.acknowledged_at, name(alert.acknowledged_by), alert.get_state_display(),
            alert.resolved_at, alert.get_resolve_reason_display() if alert.resolve_reason else "",
            name(alert.resolved_by), made,
        ]  # fmt: skip


SECTIONS = (
    Section("machine", "Machine", (
        "serial", "name", "manufacturer", "model", "modality", "room", "udi", "criticality",
        "lifecycle", "registered", "mark"), _machine, 10),
    Section("journal", "Changes of the machine", ("at", "what", "details", "by"), _journal, 15),
    Section("plans", "Plans", (
        "plan", "title", "counted", "rule", "from", "grace days", "steps", "verified by another",
        "active", "made by", "made"), _plans, 20),
    Section("due-dates", "Due dates", (
        "due", "late after", "order", "title", "plan", "done", "in time", "why cancelled"),
        _due, 25),
    Section("orders", "Work orders", (
        "order", "title", "state", "made", "made by", "due", "started", "done", "done by",
        "signature", "verified", "verified by", "beyond limits", "evidence"), _orders, 30),
    Section("steps", "Steps and values", (
        "order", "step", "what", "kind", "answer", "value", "unit", "limits", "verdict", "note"),
        _steps, 35),
    Section("history", "History of the orders", (
        "order", "at", "what", "note", "by", "as signed"), _history, 40),
    Section("files", "Attachments", (
        "order", "file", "name", "type", "bytes", "sha-256", "by", "at"), _files, 45),
    Section("booked", "Labour and cost", (
        "order", "kind", "what", "amount", "unit", "person", "booked by", "at"), _booked, 50),
    Section("downtimes", "Downtime", (
        "downtime", "from", "to", "planned", "extent", "reason", "order", "noted by"),
        _downtimes, 60),
    Section("downtime-corrections", "Corrections of downtime", (
        "downtime", "at", "what", "why", "by", "before"), _corrections, 65),
    Section("alerts", "Alerts", (
        "alert", "opened", "severity", "message", "returns", "acknowledged", "acknowledged by",
        "state", "resolved", "reason", "resolved by", "orders"), _alerts, 70),
)  # fmt: skip
