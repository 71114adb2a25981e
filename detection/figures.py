"""A version's report as a few headline figures; pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

MAX_FIGURES = 12


@dataclass(frozen=True, slots=True)
class Figure:
    """One number of a report, as text with its interval where it has one."""

    name: str
    value: str


def figures_of(metrics: Mapping[str, Any]) -> list[Figure]:
    """The numbers of a report, nested keys joined; at most `MAX_FIGURES`, in the report's order.

    A mapping with `value`, `low` and `high` is one figure with its interval. Texts and lists
    are left out: they belong to the model card.
    """
    found = []
    for figure in _walk(metrics, ""):
        found.append(figure)
        if len(found) == MAX_FIGURES:
            break
    return found


def _walk(metrics: Mapping[str, Any], prefix: str) -> Iterator[Figure]:
    for key, value in metrics.items():
        name = f"{prefix} {key}".strip().replace("_", " ")
        if isinstance(value, Mapping):
            if {"value", "low", "high"} <= value.keys():
                text = (
                    f"{_number(value['value'])} ({_number(value['low'])}-{_number(value['high'])})"
                )
                yield Figure(name, text)
            else:
                yield from _walk(value, name)
        elif isinstance(value, int | float) and not isinstance(value, bool):
            yield Figure(name, _number(value))


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.3f}"
