"""What an audit file says, before it is a PDF or CSV: rows of text, and the hash of them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta

from django.utils import timezone

from devices import dossier
from devices.dossier import Section
from devices.models import Device


@dataclass(frozen=True, slots=True)
class MachinePart:
    """One machine's rows: a list for each section, in the sections' order."""

    serial: str
    name: str
    rows: tuple[tuple[tuple[str, ...], ...], ...]


@dataclass(slots=True)
class Content:
    """All of it.

    Attributes:
        starts_on: first day.
        ends_on: last day, included.
        sections: of every machine.
        machines: in the order of their serials.
    """

    starts_on: date
    ends_on: date
    sections: list[Section]
    machines: list[MachinePart] = field(default_factory=list)

    @property
    def count(self) -> int:
        """How many rows."""
        return sum(len(rows) for machine in self.machines for rows in machine.rows)

    def lines(self) -> Iterator[str]:
        """JSON lines, one a row: what is hashed, and anybody can hash again."""
        yield _line({
            "from": self.starts_on.isoformat(), "to": self.ends_on.isoformat(),
            "sections": [[each.name, *each.columns] for each in self.sections],
        })  # fmt: skip
        for machine in self.machines:
            yield _line({"serial": machine.serial, "name": machine.name})
            for section, rows in zip(self.sections, machine.rows, strict=True):
                for row in rows:
                    yield _line([section.name, *row])

    def sha256(self) -> str:
        """SHA-256 of the lines in UTF-8; who made it and when is no part of it."""
        digest = hashlib.sha256()
        for line in self.lines():
            digest.update(line.encode())
        return digest.hexdigest()


def _line(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def period(starts_on: date, ends_on: date) -> tuple[datetime, datetime]:
    """The moments at which the first day begins and the last one has ended, hospital's clock."""
    zone = timezone.get_default_timezone()
    begin = datetime.combine(starts_on, time(), tzinfo=zone)
    return begin, datetime.combine(ends_on + timedelta(days=1), time(), tzinfo=zone)


def collect(
    devices: list[Device],
    *,
    starts_on: date,
    ends_on: date,
    done: Callable[[int], None] = lambda _: None,
) -> Content:
    """Ask every section for every machine.

    Args:
        devices: with their models.
        starts_on: first day.
        ends_on: last day, included.
        done: told after each machine how many are done.
    """
    start, end = period(starts_on, ends_on)
    content = Content(starts_on, ends_on, dossier.sections())
    for number, device in enumerate(devices, start=1):
        rows = tuple(
            tuple(
                tuple(dossier.cell(value) for value in row)
                for row in section.rows(device, start, end)
            )
            for section in content.sections
        )
        content.machines.append(MachinePart(device.serial, device.name, rows))
        done(number)
    return content
