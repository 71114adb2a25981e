"""How long a replay takes: a year of five-minute readings of one metric, on PostgreSQL.

    python -m benchmarks.replay

Each kind of rule in turn through the page's selector: read from the table, folded, drawn.
"""

from __future__ import annotations

import json
import math
import os
import random
import time
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

READINGS = 105_120  # a year of five minutes
ROUNDS = 3
KINDS: dict[str, dict[str, Any]] = {
    "limit": {},
    "rate": {},
    "drift": {},
    "anomaly": {},
    "anomaly, every reading": {"step_seconds": 0},
    "silence": {},
    "image_quality": {},
    "reject_rate": {},
}


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
    import django

    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from devices.models import Device, DeviceModel, Metric, Reading
    from devices.rule_kinds.spec import Spec, complete
    from devices.rules import Limit
    from devices.selectors import replay

    model = DeviceModel.objects.create(manufacturer="Bench", name="Replay", modality="DX")
    device = Device.objects.create(serial="REPLAY", name="Replay", model=model)
    metric = Metric.objects.create(device_model=model, key="t", label="t", unit="Cel", cadence=300)
    end = datetime(2026, 1, 1, tzinfo=UTC)
    start, step, rng = end - timedelta(days=365), timedelta(minutes=5), random.Random(1)
    Reading.objects.bulk_create(
        (
            Reading(
                device=device,
                metric=metric,
                measured_at=start + i * step,
                value=30 + 2 * math.sin(i / 288 * math.tau) + rng.gauss(0, 0.4),
                source="simulator",
            )
            for i in range(READINGS)
        ),
        batch_size=5_000,
    )
    limit = Limit(0, "t", "t", "Cel", "act", None, 33.0, 0.5, 3600, 3, keep_seconds=900)
    found = {}
    for name, params in KINDS.items():
        kind = name.split(",", maxsplit=1)[0]
        spec = Spec(limit, kind, complete(kind, params)[0], cadence=300)
        seconds, own = [], []
        for _ in range(ROUNDS):
            begun, used = time.perf_counter(), time.process_time()
            shown = replay.run(device=device, metric=metric, spec=spec, start=start, end=end)
            seconds.append(time.perf_counter() - begun)
            own.append(time.process_time() - used)
        found[name] = {
            "p50": median(seconds),
            "cpu_p50": median(own),
            "worst": max(seconds),
            "readings": shown.replay.readings,
        }
    print(
        json.dumps(
            {"rounds": ROUNDS, "load": os.getloadavg()[0], "readings": READINGS, "kinds": found}
        )
    )


if __name__ == "__main__":
    main()
