"""Two readers, two processes, one line: each takes the next film, claims, signs, as fast as it can.

    DATABASE_URL=postgres:///NAME python -m benchmarks.two_readers [--films 1000]

The database named must be an empty one of its own. Prints JSON: who signed how many, how often one
came too late for a film, and what does not add up (nothing should).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "twinhealth.settings.embedded")
os.environ.setdefault("LOG_LEVEL", "CRITICAL")
os.environ.setdefault("DATA_DIR", tempfile.mkdtemp(prefix="twinhealth-bench-"))
ROOT: Final = Path(__file__).resolve().parent.parent
READERS: Final = ("clinician", "clinician2")


def read(username: str) -> dict[str, Any]:
    """One reader's work until nothing is left; waits for a line of input, so both start at once."""
    import django

    django.setup()
    from accounts.models import User
    from detection import selectors
    from detection.models import WorklistItem
    from detection.services import claims
    from reading.services.report_sign import sign_film
    from twinhealth.errors import ConflictError

    user = User.objects.get(username=username)
    print("ready", flush=True)
    sys.stdin.readline()
    signed, each, late = [], [], 0
    began = time.time()
    while True:
        start = time.perf_counter()
        image = selectors.next_image(user=user)
        if image is None:
            if not WorklistItem.objects.filter(signed=False).exists():
                break
            time.sleep(0.001)  # the other reader holds the last one
            continue
        try:
            claims.claim(image_id=image.pk, user=user)
            done = sign_film(image_id=image.pk, user=user, conclusion="normal")
        except ConflictError:
            late += 1
            continue
        if done.created:
            signed.append(image.pk)
            each.append(time.perf_counter() - start)
    return {"signed": signed, "late": late, "each": each, "began": began, "ended": time.time()}


def hammer(films: int) -> dict[str, Any]:
    """Both at once on a database that `prepare` has filled: what they did, and what came of it."""
    readers = [
        subprocess.Popen(
            [sys.executable, "-m", "benchmarks.two_readers", "--reader", username],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for username in READERS
    ]
    for reader in readers:
        if reader.stdout is None or reader.stdout.readline() != "ready\n":
            raise RuntimeError("a reader did not start")
    for reader in readers:
        if reader.stdin is not None:
            reader.stdin.write("go\n")
            reader.stdin.flush()
    said = [json.loads(reader.communicate()[0]) for reader in readers]
    each = sorted(seconds for one in said for seconds in one["each"])
    span = max(one["ended"] for one in said) - min(one["began"] for one in said)
    return {
        "films": films,
        "signed": {name: len(one["signed"]) for name, one in zip(READERS, said, strict=True)},
        "late": sum(one["late"] for one in said),
        "p50_ms": 1000 * statistics.median(each),
        "p95_ms": 1000 * each[round(0.95 * (len(each) - 1))],
        "films_per_second": films / span,
        "wrong": wrong(films, [one["signed"] for one in said]),
    }


def wrong(films: int, said: list[list[int]]) -> list[str]:
    """What a person would call an error: a film lost or signed twice, a reader told otherwise."""
    from accounts.models import AuditEntry
    from detection.models import Claim, Signature, WorklistItem

    found = []
    first, second = (set(one) for one in said)
    if first & second:
        found.append(f"both readers were told that they signed {sorted(first & second)}")
    rows = dict(Signature.objects.values_list("image_id", "by__username"))
    for username, told in zip(READERS, (first, second), strict=True):
        if told != {image for image, by in rows.items() if by == username}:
            found.append(f"{username}'s signatures are not those that were answered")
    if len(rows) != films:
        found.append(f"{films - len(rows)} films without a signature")
    if WorklistItem.objects.filter(signed=False).exists():
        found.append("signed films still wait")
    if Claim.objects.exists():
        found.append("claims outlive the signature")
    if AuditEntry.objects.filter(verb="signed").count() != films:
        found.append("the audit has not one row a signature")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=1000)
    parser.add_argument("--reader", help="be this one; started by the measurement itself")
    options = parser.parse_args()
    if options.reader:
        result = read(options.reader)
    else:
        from django.db.models import F

        from .worklist import prepare

        prepare(options.films, waiting=options.films)
        from detection.models import WorklistItem

        # past the ceiling: a film without a finding waits for a reader too
        earlier = F("waiting_since") - timedelta(hours=2)
        WorklistItem.objects.update(waiting_since=earlier)
        result = hammer(options.films)
    json.dump(result, sys.stdout)
    print()


if __name__ == "__main__":
    main()
