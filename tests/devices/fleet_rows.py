"""Many machines in known states, made fast."""

from __future__ import annotations

from datetime import datetime, timedelta

from devices.models import Device, DeviceModel
from tests.devices import factories as f

HOSTILE = "<img src=x><script>alert(1)</script>"
BACKWARDS = "\u202egnp.exe"  # RIGHT-TO-LEFT OVERRIDE
LONG = "=" + "W" * 127
VALUES = {"act": 20.0, "watch": 9.0, "ok": 5.0}


def model() -> DeviceModel:
    made = f.model()
    noise = f.metric(made, unit="kV", label="Noise", max_age=86_400)
    f.rule(noise, "watch", high=8.0)
    f.rule(noise, "act", high=10.0)
    return made


def machines(now: datetime, *, names: dict[str, list[str]], rooms: int = 5) -> list[Device]:
    """Machines by state: `{"act": [names], "watch": …, "ok": …, "unknown": …}`."""
    made = model()
    noise = made.metrics.get()
    listed = [(state, name) for state, group in names.items() for name in group]
    devices = Device.objects.bulk_create(
        Device(serial=f"F{n:04d}", name=name, model=made, location=f"R{n % rooms}")
        for n, (_, name) in enumerate(listed)
    )
    for device, (state, _) in zip(devices, listed, strict=True):
        if state != "unknown":
            f.readings(
                device, noise, [(now - timedelta(minutes=m), VALUES[state]) for m in (30, 20, 10)]
            )
    return devices


def many(now: datetime, **counts: int) -> list[Device]:
    """So many machines of each state, with names as hospitals give them."""
    names = {
        state: [f"{'Thorax' if n % 7 == 0 else 'XR'}-{state[0]}{n:03d}" for n in range(count)]
        for state, count in counts.items()
    }
    return machines(now, names=names, rooms=40)
