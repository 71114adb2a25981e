"""Small worlds for the simulation's tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from planning.simulation.inputs import WEEK, Assumed, Machines, Orders, Staff, World

NO_ORDERS: dict[str, Any] = {"machine": [], "day": [], "late_after": [], "hours": []}


def machines(count: int = 1, **changed: Any) -> Machines:
    """Machines with two failures a year, known exactly, each in a room of its own."""
    fields: dict[str, Any] = {
        "ids": np.arange(count) + 1,
        "shape": np.full(count, 1e6),
        "years": np.full(count, 1e6 / 2),
        "age": np.full(count, 90.0),
        "interval": np.full(count, 180.0),
        "group": np.zeros(count, dtype=np.int64),
        "room": np.arange(count),
        "cover": np.ones((count, WEEK)),
        "exams": np.zeros((count, WEEK)),
        "repairs": np.zeros(count, dtype=np.int64),
        "has_part": np.zeros(count, dtype=bool),
        "down_until": np.zeros(count),
    }
    return Machines(**(fields | changed))


def orders(**given: Any) -> Orders:
    """Orders that count and restore; what isn't given is usual."""
    given = NO_ORDERS | given
    count = len(given["machine"])
    fields = {
        "ids": np.arange(count) + 1,
        "counts": np.ones(count, dtype=bool),
        "restores": np.ones(count, dtype=bool),
        "dropped": np.zeros(count, dtype=bool),
    } | {
        name: np.array(value, dtype=float if name == "hours" else np.int64)
        for name, value in given.items()
        if name not in {"counts", "restores", "dropped"}
    }
    for name in ("counts", "restores", "dropped"):
        if name in given:
            fields[name] = np.array(given[name], dtype=bool)
    return Orders(**fields)  # type: ignore[arg-type]


def world(**changed: Any) -> World:
    """One machine, one engineer at all hours, no wear, no waiting for parts; a Monday."""
    days = changed.get("days", 90)
    fields: dict[str, Any] = {
        "machines": machines(),
        "orders": orders(),
        "staff": Staff(np.full(days, 1), (0, 24), 0),
        "pools": (np.array([4.0]),),
        "weekday": 0,
        "days": days,
        "runs": 200,
        "seed": 7,
        "assumed": Assumed(wear=0.0, part_share=0.0, part_hours=0.0),
    }
    return World(**(fields | changed))
