"""Rows for the tests of quality, made through the services."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from accounts.permissions import Role
from devices.models import Device
from quality.models import Protocol, QASession
from quality.services import protocols, sessions, signing
from tests.devices import factories as f

TESTS: list[dict[str, Any]] = [
    {
        "name": "Tube voltage", "kind": "number", "unit": "kV", "reference": 70,
        "tolerance": 2, "action": 5, "instructions": "at 70 kV, three exposures",
    },
    {"name": "Uniformity", "kind": "pass_fail"},
    {
        "name": "Artefacts", "kind": "choice",
        "choices": [
            {"text": "none", "verdict": "pass"}, {"text": "faint", "verdict": "tolerance"},
            {"text": "disturbing", "verdict": "action"},
        ],
    },
]  # fmt: skip


def admin() -> User:
    return f.user(Role.ADMIN)


def ago(days: float) -> datetime:
    return timezone.now() - timedelta(days=days)


def machine(days: float = 400, **fields: Any) -> Device:
    """One that was registered so long ago."""
    found = f.device(**fields)
    Device.objects.filter(pk=found.pk).update(registered_at=ago(days))
    found.refresh_from_db()
    return found


def protocol(machine_: Device, **fields: Any) -> Protocol:
    fields = {"actor": admin(), "name": "Monthly constancy", "tests": TESTS, **fields}
    if "device" not in fields:
        fields["device_model"] = machine_.model
    return protocols.create(**fields)


def answers(of: Protocol, kv: Any = 70, *, passed: bool = True, artefacts: str = "none") -> Any:
    assert of.current is not None
    keys = {row["name"]: row["key"] for row in of.current.tests}
    given = {
        "Tube voltage": {"values": kv if isinstance(kv, list) else [kv]},
        "Uniformity": {"passed": passed},
        "Artefacts": {"choice": artefacts},
    }
    return {keys[name]: answer for name, answer in given.items() if name in keys}


def draft(of: Protocol, on: Device, days: float = 0, kv: Any = 70, **fields: Any) -> QASession:
    who = fields.pop("actor", None) or f.user()
    at = fields.pop("performed_at", None) or ago(days)
    order = fields.pop("order", None)
    made = sessions.begin(actor=who, device=on, protocol=of, order=order, performed_at=at)
    given = fields.pop("answers", None) or answers(of, kv)
    return sessions.save(session=made, actor=who, answers=given, **fields)


def signed(of: Protocol, on: Device, days: float = 0, kv: Any = 70, **fields: Any) -> QASession:
    """A session measured so many days ago, signed now."""
    who = fields.pop("actor", None) or f.user()
    signing_fields = {
        name: fields.pop(name)
        for name in ("counts_for", "close_order", "keep_version")
        if name in fields
    }
    made = draft(of, on, days, kv, actor=who, **fields)
    return signing.sign(session=made, actor=who, signature="W. Orker", **signing_fields)


def corrected(
    session: QASession, kv: Any = 70, reason: str = "typed wrongly", **fields: Any
) -> QASession:
    who = f.user()
    made = sessions.correct(session=session, actor=who, reason=reason)
    made = sessions.save(session=made, actor=who, answers=answers(session.protocol, kv), **fields)
    return signing.sign(session=made, actor=who, signature="W. Orker")
