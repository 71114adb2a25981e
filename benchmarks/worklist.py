"""The worklist page with 10,000 studies: queries and time in the server.

    DATABASE_URL=postgres:///NAME python -m benchmarks.worklist [--studies 10000] [--requests 60]
        [--open 500] [--page /label-next/]

The database named must be an empty one of its own; its tables are made here.
"""

from __future__ import annotations

import argparse
import gc
import io
import json
import os
import random
import statistics
import sys
import tempfile
import time
from datetime import timedelta
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="twinhealth-bench-"))


def fill(count: int, waiting: int) -> None:
    """`count` studies of one film, all read: `waiting` of them wait, the rest is signed."""
    from django.utils import timezone

    from accounts.models import User
    from detection.models import DetectionRun, DetectorVersion, Finding, Signature
    from devices.models import Device, DeviceModel
    from imaging.models import Image, Series, Study
    from patients.models import Patient

    rng = random.Random(1)
    now = timezone.now()
    model = DeviceModel.objects.create(manufacturer="Bench", name="B-1", modality="DX")
    machines = [
        Device.objects.create(serial=f"B-{n}", name=f"B{n}", model=model, is_synthetic=True)
        for n in range(20)
    ]
    reader = User.objects.get(username="clinician")
    version = DetectorVersion.objects.get(state="active")
    people = Patient.objects.bulk_create(
        Patient(identifier=f"BENCH{n}", is_synthetic=True) for n in range(count)
    )
    studies = Study.objects.bulk_create(
        Study(study_instance_uid=f"2.25.1{n}", patient=person) for n, person in enumerate(people)
    )
    series = Series.objects.bulk_create(
        Series(series_instance_uid=f"2.25.2{n}", study=study, modality="DX")
        for n, study in enumerate(studies)
    )
    images = Image.objects.bulk_create(
        Image(
            series=one,
            sop_instance_uid=f"2.25.3{n}",
            sop_class_uid="1.2.840.10008.5.1.4.1.1.1.1",
            transfer_syntax_uid="1.2.840.10008.1.2.1",
            sha256=f"{n:064x}",
            path=f"bench/{n}",
            size=1,
            rows=1024,
            columns=1024,
            bits_stored=8,
            photometric="MONOCHROME2",
            acquired_at=now - timedelta(minutes=n),
            door="command",
            device=machines[n % len(machines)],
        )
        for n, one in enumerate(series)
    )
    for n, image in enumerate(images):
        image.received_at = now - timedelta(minutes=n)
    Image.objects.bulk_update(images, ["received_at"], batch_size=1000)
    runs = DetectionRun.objects.bulk_create(
        DetectionRun(
            image=image,
            version=version,
            state="done",
            queued_at=image.received_at,
            sent_at=image.received_at,
            finished_at=image.received_at,
            seconds=0.3,
        )
        for image in images
    )
    Finding.objects.bulk_create(
        Finding(
            run=run,
            label=rng.choice(["covid", "pneumonia", "normal"]),
            score=rng.uniform(0.3, 1),
            x=10 + 400 * side,
            y=20,
            w=300,
            h=500,
        )
        for run in runs
        for side in (0, 1)
    )
    Signature.objects.bulk_create(
        Signature(image=image, by=reader, by_name="clinician", at=now, conclusion="normal")
        for image in images[waiting:]
    )


def prepare(studies: int, waiting: int) -> None:
    """A database with tables, demo accounts, a detector, and the studies of `fill`."""
    import django

    django.setup()
    from django.core.management import call_command

    from detection.services.worklist import refresh_items
    from imaging.models import Image

    os.environ["DEMO_PASSWORD"] = "bench-only-password"
    call_command("migrate", verbosity=0)
    call_command("collectstatic", interactive=False, verbosity=0)
    call_command("create_demo_users", stdout=io.StringIO())
    call_command("register_detector", stdout=io.StringIO())
    fill(studies, waiting)
    refresh_items(image_ids=list(Image.objects.values_list("pk", flat=True)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=60)
    parser.add_argument("--open", type=int, help="films that wait (default: a twentieth)")
    parser.add_argument("--page", default="/worklist/")
    options = parser.parse_args()
    waiting = options.studies // 20 if options.open is None else options.open
    prepare(options.studies, waiting)
    from django.db import connection
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    from accounts.models import User

    # the objects made above would weigh on the garbage collector, as in no web process
    gc.collect()
    gc.freeze()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.get(username="clinician"))
    with CaptureQueriesContext(connection) as captured:
        answer = client.get(options.page)
    queries = len(captured)  # now: the next request empties the log
    if answer.status_code != 200:
        raise RuntimeError(f"{options.page} answered {answer.status_code}")
    each, cpu = [], []
    for _ in range(options.requests):
        busy = time.process_time()
        start = time.perf_counter()
        client.get(options.page)
        each.append(1000 * (time.perf_counter() - start))
        cpu.append(1000 * (time.process_time() - busy))
    each.sort()
    result: dict[str, Any] = {
        "database": connection.vendor,
        "page": options.page,
        "studies": options.studies,
        "open": waiting,
        "queries": queries,
        "cpu_p50_ms": statistics.median(cpu),  # of this process, with SQLite all there is
        "p50_ms": statistics.median(each),
        "p95_ms": each[round(0.95 * (len(each) - 1))],
    }
    json.dump(result, sys.stdout, indent=1)
    print()


if __name__ == "__main__":
    main()
