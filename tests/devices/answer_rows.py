"""Rows and doors of the tests of answers that were kept on a phone."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from django.test import Client
from PIL import Image

from accounts.models import User
from devices import checklist as steps_of
from devices.checklist_merge import Change
from devices.models import WorkOrder
from devices.services.order_answers import Seen
from tests.devices.maintenance_rows import make_order

STEPS: tuple[Any, ...] = (
    "clean",
    {"step": "Tube voltage", "kind": "number", "unit": "kV", "low": 68, "high": 72},
    {"step": "Label", "kind": "photo"},
    {"step": "Remarks", "kind": "text"},
)
JSON: dict[str, Any] = {"content_type": "application/json"}


def running(**fields: Any) -> WorkOrder:
    return make_order("in_progress", checklist=STEPS, **fields)


def change(place: int, name: Any, mine: Any, base: Any = None) -> Change:
    item = steps_of.blank(STEPS)[place]
    return Change(place, item["step"], str(steps_of.kind_of(item)), name, base, mine)


def seen(order: WorkOrder) -> Seen:
    order.refresh_from_db()
    name = order.assigned_to.username if order.assigned_to else None
    return Seen(order.state, name)


def client(person: User) -> Client:
    found = Client()
    found.force_login(person)
    return found


def picture(colour: str = "red") -> bytes:
    made = BytesIO()
    Image.new("RGB", (4, 4), colour).save(made, "PNG")
    return made.getvalue()
