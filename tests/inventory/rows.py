"""Rows for the tests of this room, made through the services."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from accounts.permissions import Role
from inventory.models import Part, Vendor
from inventory.services import parts, stock, vendors
from tests.devices.factories import user

_NUMBERS = itertools.count(1)


def make_vendor(**fields: Any) -> Vendor:
    fields = {"name": f"Vendor {next(_NUMBERS)}", "phone": "+49 30 1234", **fields}
    return vendors.save(actor=None, **fields)


def make_part(in_stock: int = 5, **fields: Any) -> Part:
    number = next(_NUMBERS)
    fields = {
        "number": f"P-{number}",
        "name": f"Filter {number}",
        "price": Decimal("12.50"),
        **fields,
    }
    part, _ = parts.save(actor=None, **fields)
    if in_stock:
        stock.receive(part=part, amount=in_stock, actor=None)
    part.refresh_from_db()
    return part


def browser(role: str = Role.ADMIN) -> Client:
    client = Client()
    client.force_login(user(role))
    return client


def api(role: str = Role.ADMIN) -> APIClient:
    client = APIClient()
    client.force_authenticate(user(role))
    return client
