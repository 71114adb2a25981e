"""Sections of the audit file about what this room keeps, and registering all of them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.db.models import Q

from devices import dossier
from devices.dossier import Section
from devices.models import Device

from .models import Contract, RecallCandidate, StockMovement, Warranty
from .sections_devices import SECTIONS, Cells, days, name


def connect() -> None:
    """Have them in every file; called once, when the room is ready."""
    for section in (*SECTIONS, *OWN):
        dossier.register(section)


def _parts(device: Device, start: datetime, end: datetime) -> Cells:
    found = StockMovement.objects.filter(order__device=device, at__gte=start, at__lt=end)
    for row in found.select_related("part", "by").order_by("pk"):
        yield [
            row.at, f"WO-{row.order_id}", row.get_kind_display(), row.part.number, row.part.name,
            abs(row.amount), row.part.unit, row.unit_price, row.reason, name(row.by),
        ]  # fmt: skip


def covering(device: Device) -> Q:
    """Contracts on the machine or on its model."""
    return Q(devices=device) | Q(device_models=device.model_id)


def _contracts(device: Device, start: datetime, end: datetime) -> Cells:
    first, last = days(start, end)
    found = Contract.objects.filter(covering(device), starts_on__lte=last, ends_on__gte=first)
    for row in found.select_related("vendor").order_by("starts_on", "pk").distinct():
        yield [
            row.number, row.vendor.name, row.get_kind_display(), row.starts_on, row.ends_on,
            row.notice_days, row.response_hours, row.cost_per_year,
        ]  # fmt: skip
    warranties: Any = Warranty.objects.filter(device=device, withdrawn_at=None, until__gte=first)
    for each in warranties.filter(at__lt=end).select_related("vendor", "component").order_by("pk"):
        what = f"of {each.component}" if each.component else "of the machine"
        yield ["warranty", each.vendor.name, what, None, each.until, None, None, None]


def _recalls(device: Device, start: datetime, end: datetime) -> Cells:
    found = RecallCandidate.objects.filter(device=device, found_at__lt=end)
    for row in found.select_related("recall", "decided_by", "order").order_by("pk"):
        order = row.order
        yield [
            row.recall.reference, row.recall.issued_on, row.recall.manufacturer,
            row.recall.model_text[:300], row.recall.get_severity_display(), row.found_at,
            row.get_sureness_display(), " ".join(row.reasons), row.get_state_display(),
            row.decided_at, name(row.decided_by), row.decision,
            f"WO-{order.pk} {order.get_state_display()}" if order else "",
        ]  # fmt: skip


OWN = (
    Section("parts", "Parts used", (
        "at", "order", "what", "number", "name", "amount", "unit", "unit price", "reason", "by"),
        _parts, 55),
    Section("contracts", "Contracts and warranties", (
        "number", "vendor", "kind", "from", "to", "notice days", "response hours",
        "cost per year"), _contracts, 80),
    Section("recalls", "Recalls", (
        "reference", "issued", "manufacturer", "model", "severity", "found", "how sure", "why",
        "decision", "decided", "decided by", "reason", "order"), _recalls, 85),
)  # fmt: skip
