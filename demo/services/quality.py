"""A constancy test of the fixed X-ray machines: one warning long ago, one machine that fails."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from accounts.models import User
from devices.models import Device, MaintenancePlan
from quality.models import Instrument, Protocol, QASession
from quality.services import instruments, protocols, sessions, signing

VOLTAGE, DOSE, UNIFORMITY, ARTEFACTS = (
    "Tube voltage",
    "Detector dose at 70 kV",
    "Uniformity of the flat field",
    "Artefacts in the flat field",
)
TESTS: tuple[dict[str, Any], ...] = (
    {
        "name": VOLTAGE, "kind": "number", "unit": "kV", "reference": 70, "tolerance": 3,
        "action": 5, "mode": "percent", "instructions": "Three exposures at 70 kV, 10 mAs.",
    },
    {
        "name": DOSE, "kind": "number", "unit": "uGy", "reference": 2.5, "tolerance": 10,
        "action": 20, "mode": "percent", "instructions": "At the detector, with 21 mm aluminium.",
    },
    {
        "name": UNIFORMITY, "kind": "number", "unit": "%", "reference": 0, "tolerance": 5,
        "action": 10, "side": "above", "instructions": "Largest deviation of five regions.",
    },
    {
        "name": ARTEFACTS, "kind": "choice",
        "choices": [
            {"text": "none", "verdict": "pass"}, {"text": "faint", "verdict": "tolerance"},
            {"text": "disturbing", "verdict": "action"},
        ],
    },
)  # fmt: skip
# machine, days ago, voltage, dose, uniformity, artefacts
SESSIONS: tuple[tuple[str, int, tuple[float, ...], float, float, str], ...] = (
    ("XR-1", 117, (70.1, 70.3, 70.2), 2.51, 2.1, "none"),
    ("XR-1", 88, (70.4, 70.2, 70.6), 2.58, 2.4, "none"),
    ("XR-1", 57, (72.3, 72.5, 72.4), 2.62, 2.6, "none"),  # beyond tolerance
    ("XR-1", 27, (70.0, 70.1, 69.9), 2.49, 2.2, "none"),
    ("XR-2", 25, (69.8, 69.9, 69.7), 2.44, 4.1, "none"),
    ("XR-2", 6, (69.9, 70.0, 69.8), 2.31, 12.4, "disturbing"),  # fails
)


def seed_quality(*, devices: list[Device], admin: User, engineer: User, now: datetime) -> None:
    """A protocol with its sessions, all measured in the past and signed now."""
    by_name = {device.name: device for device in devices}
    meter = instruments.create(
        actor=engineer,
        name="Multimeter for X-rays (synthetic)",
        serial="MM-0042",
        calibrated_until=timezone.localdate(now) + timedelta(days=210),
    )
    protocol = protocols.create(
        actor=admin,
        device_model=by_name["XR-1"].model,
        name="Constancy test",
        tests=TESTS,
        instructions="Warm the tube up first. Nobody in the room, the door closed.",
    )
    for title, name in (("Constancy test", "XR-1"), ("Detector calibration", "XR-2")):
        plan = MaintenancePlan.objects.get(device=by_name[name], title=title)
        protocols.tie(protocol=protocol, actor=admin, plan=plan)
    for name, days, *found in SESSIONS:
        at = now - timedelta(days=days)
        _signed(protocol, by_name[name], engineer=engineer, at=at, meter=meter, found=found)


def _signed(
    protocol: Protocol,
    device: Device,
    *,
    engineer: User,
    at: datetime,
    meter: Instrument,
    found: list[Any],
) -> QASession:
    version = protocol.current
    assert version is not None  # noqa: S101 - made with it
    keys = {row["name"]: row["key"] for row in version.tests}
    voltage, dose, uniformity, artefacts = found
    session = sessions.begin(actor=engineer, device=device, protocol=protocol, performed_at=at)
    session = sessions.save(
        session=session,
        actor=engineer,
        answers={
            keys[VOLTAGE]: {"values": list(voltage)},
            keys[DOSE]: {"values": [dose]},
            keys[UNIFORMITY]: {"values": [uniformity]},
            keys[ARTEFACTS]: {"choice": artefacts},
        },
        instrument=meter,
        comment="Synthetic.",
    )
    return signing.sign(session=session, actor=engineer, signature=str(engineer))
