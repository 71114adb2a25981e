"""A worker looks a file of readings through, or stores it, in bites that survive its death."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from devices import csv_readings
from devices.csv_readings import Dialect, Item
from devices.models import Device, ReadingImport, RefusedRow
from devices.models.reading import ReadingSource
from devices.models.reading_import import ImportState
from twinhealth.errors import DomainError

from .identify import find
from .readings import MAX_READINGS, ReadingIn, judge, store_readings

log = structlog.get_logger(__name__)

PREVIEW_ROWS = 200
KEPT_REFUSALS = 100_000  # of one file; the rest is counted
SILENT = timedelta(seconds=90)  # a worker that says nothing for so long is gone
_WORKING = (ImportState.CHECKING, ImportState.STORING)


def file_of(job: ReadingImport) -> Path:
    """Where its file lies, while it is kept."""
    return Path(settings.MEDIA_ROOT) / job.path


def lost() -> list[int]:
    """Those that no worker has touched for a while, at most 20."""
    silent = ReadingImport.objects.filter(
        state__in=_WORKING, touched_at__lt=timezone.now() - SILENT
    )
    return list(silent.order_by("pk").values_list("pk", flat=True)[:20])


def work(*, import_id: int) -> None:
    """Look the file through, or store it, from where the last worker got to.

    Each bite is one transaction that moves `rows_done` too and only from where this worker saw
    it, so a second worker on the same file finds it moved and leaves.
    """
    job = ReadingImport.objects.filter(pk=import_id, state__in=_WORKING).first()
    if job is None:
        return
    try:
        dialect = Dialect.from_json(job.dialect)
        rows = csv_readings.items(file_of(job), dialect, skip=job.rows_done)
        bite = _Bite(job)
        for number, found in _bites(rows):
            if not bite.take(number, found):
                return
        _finish(job)
    except (OSError, DomainError):
        log.exception("reading_import_failed", reading_import=import_id)
        ReadingImport.objects.filter(pk=import_id, state=job.state).update(
            state=ImportState.FAILED,
            finished_at=timezone.now(),
            message="The file can't be read any more. Send it again.",
        )


def _bites(rows: Iterable[tuple[int, list[Item]]]) -> Iterator[tuple[int, list[Item]]]:
    """Readings of as many rows as make at most 10,000, with the number of the last row."""
    rows = iter(rows)
    held: list[Item] = []
    last = 0
    for number, found in rows:
        if held and len(held) + len(found) > MAX_READINGS:
            yield last, held
            held = []
        held.extend(found)
        last = number
    if last:
        yield last, held


def _finish(job: ReadingImport) -> None:
    """Checking -> checked; storing -> done, and the file goes."""
    after = ImportState.CHECKED if job.state == ImportState.CHECKING else ImportState.DONE
    moved = ReadingImport.objects.filter(pk=job.pk, state=job.state).update(
        state=after,
        touched_at=timezone.now(),
        finished_at=timezone.now() if after == ImportState.DONE else None,
    )
    if moved and after == ImportState.DONE:
        file_of(job).unlink(missing_ok=True)


@dataclass(slots=True)
class _Bite:
    """Takes the readings of a file bite by bite."""

    job: ReadingImport
    devices: dict[str, Device | None] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)  # of a dry run: readings it would have stored

    @transaction.atomic
    def take(self, last: int, items: list[Item]) -> bool:
        """Judge or store the items, move on to row `last`; False where another one was faster."""
        dry = self.job.state == ImportState.CHECKING
        moved = ReadingImport.objects.filter(
            pk=self.job.pk, state=self.job.state, rows_done=self.job.rows_done
        ).update(rows_done=last, touched_at=timezone.now())
        if not moved:
            return False
        fates: list[tuple[str, str]] = [item.error or ("", "") for item in items]
        duplicates = accepted = 0
        for device, places in self._by_device(items, fates).items():
            got, again = self._of_device(device, places, items, fates, dry=dry)
            accepted, duplicates = accepted + got, duplicates + again
        self._note(items, fates, accepted, duplicates)
        self.job.rows_done = last
        return True

    def _by_device(
        self, items: list[Item], fates: list[tuple[str, str]]
    ) -> dict[Device, list[int]]:
        places: dict[Device, list[int]] = defaultdict(list)
        for place, item in enumerate(items):
            if fates[place][0]:
                continue
            if item.device not in self.devices:
                self.devices[item.device] = find(item.device)
            device = self.devices[item.device]
            if device is None:
                fates[place] = ("unknown_device", "No machine has that serial.")
            else:
                places[device].append(place)
        # always in one order, so that two files can't wait for each other
        return dict(sorted(places.items(), key=lambda pair: pair[0].pk))

    def _of_device(
        self,
        device: Device,
        places: list[int],
        items: list[Item],
        fates: list[tuple[str, str]],
        *,
        dry: bool,
    ) -> tuple[int, int]:
        """How many were (would be) stored, and how many are there already."""
        sent = [
            ReadingIn(items[p].metric, items[p].value, items[p].unit, items[p].measured_at)
            for p in places
        ]
        if dry:
            judged = judge(device=device, items=sent)
            rejected, duplicates = judged.rejected, set(judged.duplicates)
            for index, key in judged.keys.items():
                mark = hash((device.pk, key))
                if mark in self.seen:
                    duplicates.add(index)
                self.seen.add(mark)
            for index in duplicates:
                fates[places[index]] = ("", "duplicate")
            accepted = len(sent) - len(rejected) - len(duplicates)
        else:
            result = store_readings(device=device, items=sent, source=ReadingSource.CSV)
            rejected, accepted = result.rejected, result.accepted
        for refusal in rejected:
            fates[places[refusal["index"]]] = (refusal["code"], refusal["message"])
        return accepted, len(sent) - len(rejected) - accepted

    def _note(
        self, items: list[Item], fates: list[tuple[str, str]], accepted: int, duplicates: int
    ) -> None:
        refused = [(i, f) for i, f in zip(items, fates, strict=True) if f[0]]
        left = max(KEPT_REFUSALS - self.job.refused, 0)
        RefusedRow.objects.bulk_create(
            (
                RefusedRow(
                    of=self.job,
                    line=item.line,
                    metric=item.metric[:64].replace("\0", ""),
                    code=code,
                    message=message[:300],
                    text=item.text,
                )
                for item, (code, message) in islice(refused, left)
            ),
            batch_size=2_000,
        )
        changes: dict[str, Any] = {
            "accepted": F("accepted") + accepted,
            "duplicates": F("duplicates") + duplicates,
            "refused": F("refused") + len(refused),
        }
        if self.job.state == ImportState.CHECKING and len(self.job.preview) < PREVIEW_ROWS:
            self.job.preview += [
                _fate(item, fate)
                for item, fate in islice(
                    zip(items, fates, strict=True), PREVIEW_ROWS - len(self.job.preview)
                )
            ]
            changes["preview"] = self.job.preview
        ReadingImport.objects.filter(pk=self.job.pk).update(**changes)
        self.job.refused += len(refused)


def _fate(item: Item, fate: tuple[str, str]) -> dict[str, Any]:
    code, message = fate
    at = item.measured_at
    return {
        "line": item.line,
        "device": item.device[:64],
        "metric": item.metric[:64],
        "value": item.value if item.value is None else str(item.value)[:64],
        "unit": item.unit[:32],
        "measured_at": at.isoformat() if at else None,
        "fate": "refused" if code else message or "stored",
        "code": code,
        "message": message if code else "",
    }
