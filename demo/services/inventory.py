"""Parts, a contract that ends soon, a recall to decide, a disclosure statement; all synthetic."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from django.utils import timezone

from accounts.models import User
from devices.models import Device, DeviceModel, MaintenancePlan, WorkOrder
from inventory.models import Part, Recall, Vendor
from inventory.services import (
    contracts,
    mds2,
    needs,
    parts,
    recall_matching,
    recalls,
    stock,
    vendors,
)  # fmt: skip

# number, name, unit, becomes, model, price, place, in stock, reorder at, order
PARTS = (
    ("HV-220", "High-voltage cable", "piece", "", "DX-100", "640.00", "Shelf A1", 2, 1, 2),
    ("FLT-07", "Air filter of the cooling", "piece", "", "DX-100", "18.50", "Shelf A2", 3, 5, 20),
    ("TUB-130", "X-ray tube", "piece", "tube", "DX-100", "8900.00", "Cage", 1, 0, 0),
    ("BAT-MX", "Battery pack", "piece", "", "MX-5 mobile", "410.00", "Shelf B1", 4, 2, 4),
    (
        "IP-3543",
        "Imaging plate 35 x 43",
        "piece",
        "detector",
        "CR-20",
        "520.00",
        "Shelf B2",
        6,
        4,
        6,
    ),
    ("CLN-1", "Lens cleaner", "bottle", "", "", None, "Shelf C1", 12, 6, 12),
)
ANSWERS = {
    "MPII-1": ("yes", ""), "MPII-2": ("yes", ""), "ALOF-1": ("yes", ""), "ALOF-2": ("no", ""),
    "AUDT-1": ("yes", ""), "AUDT-4": ("note", "Syslog from software 5.3 on."),
    "AUTH-1": ("yes", ""), "CSUP-1": ("yes", ""), "CSUP-2": ("no", ""), "DTBK-1": ("yes", ""),
    "MLDP-1": ("no", ""), "PAUT-1": ("yes", ""), "SBOM-1": ("no", ""), "TXCF-1": ("yes", ""),
    "RMOT-1": ("yes", ""), "RMOT-2": ("yes", ""), "CONN-1": ("no", ""),
}  # fmt: skip


def seed_inventory(*, devices: list[Device], admin: User, engineer: User, now: datetime) -> None:
    """Six parts, one of them low; two are issued to the order that replaced the cable."""
    today = timezone.localdate(now)
    by_name = {device.name: device for device in devices}
    models = {model.name: model for model in DeviceModel.objects.filter(is_synthetic=True)}
    vendor = vendors.save(
        actor=admin,
        name="Demo Service",
        contact="Service desk",
        phone="0800 000 0100",
        email="service@demo.example",
        is_synthetic=True,
    )
    _parts(vendor, models, admin, engineer)
    for plan in MaintenancePlan.objects.filter(device=by_name["XR-3"]):
        part = Part.objects.get(number="FLT-07")
        needs.need(plan=plan, part=part, amount=4, actor=admin)  # more than there are
    contracts.save(
        actor=admin,
        vendor=vendor,
        number="SC-2024-17",
        kind="full",
        device_models=[models["DX-100"]],
        starts_on=today - timedelta(days=690),
        ends_on=today + timedelta(days=40),
        notice_days=30,
        cost_per_year=Decimal("14800.00"),
        response_hours=8,
        is_synthetic=True,
    )
    contracts.add_warranty(
        actor=admin,
        device=by_name["MX-1"],
        vendor=vendor,
        until=today + timedelta(days=75),
        is_synthetic=True,
    )
    _recall(admin, now)
    mds2.set_document(
        model=models["DX-100"],
        actor=admin,
        document="Demo MDS2 DX-100, revision 3 (synthetic)",
        document_date=today - timedelta(days=400),
    )
    mds2.answer(model=models["DX-100"], actor=admin, answers=ANSWERS)


def _parts(vendor: Vendor, models: dict[str, DeviceModel], admin: User, engineer: User) -> None:
    made = {}
    for number, name, unit, kind, model, price, place, amount, level, order in PARTS:
        made[number], _ = parts.save(
            actor=admin,
            number=number,
            name=name,
            unit=unit,
            component_kind=kind,
            fits=[models[model]] if model else [],
            vendor=vendor,
            price=Decimal(price) if price else None,
            location=place,
            reorder_level=level,
            reorder_amount=order,
            is_synthetic=True,
        )
        stock.receive(part=made[number], amount=amount, actor=admin, reason="opening stock")
    done = WorkOrder.objects.filter(title="Replace the tube's high-voltage cable").first()
    if done is not None:
        stock.issue(part=made["HV-220"], order=done, amount=1, actor=engineer)


def _recall(admin: User, now: datetime) -> Recall:
    """One candidate: XR-1, by its serial."""
    recall, _ = recalls.save(
        actor=admin,
        reference="DEMO-FSN-2026-04",
        issued_on=timezone.localdate(now) - timedelta(days=4),
        manufacturer="Demo Radiography Inc.",
        model_text="DX-100 digital X-ray system",
        serials="DX100-0410 to DX100-0419",
        action="Check the torque of the column's four bolts (synthetic notice).",
        severity="II",
        is_synthetic=True,
    )
    recall_matching.match_recall(recall)
    return recall
