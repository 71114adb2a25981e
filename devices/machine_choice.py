"""Choosing a machine on a page: from a list, or by name or serial where a list were too long."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from .models import Device
from .selectors_maintenance import OrderFilter, machines

LONGEST = 500  # machines in a list; a browser and a person lose themselves in more


def choices() -> list[Device] | None:
    """The machines, in one query; `None` where they are too many for a list."""
    found = list(machines()[: LONGEST + 1])
    return found if len(found) <= LONGEST else None


def named(query: Any) -> int | None:
    """The machine of `?machine_named=`, by serial, else by name; 0 if unknown."""
    text = query.get("machine_named", "").strip()[:128]
    if not text:
        return None
    found = Device.objects.filter(serial=text).first() or Device.objects.filter(name=text).first()
    return found.pk if found else 0


def narrowed(chosen: OrderFilter, query: Any) -> OrderFilter:
    """The filters, with the machine that was named where none was chosen."""
    machine = chosen.machine if chosen.machine is not None else named(query)
    return replace(chosen, machine=machine)
