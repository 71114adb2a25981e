"""Files of readings: looked through first, stored once whatever happens to the worker."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from devices.models import Device, Reading, ReadingImport
from devices.services import reading_import_work, reading_imports
from devices.tasks_imports import send_lost_imports_task
from tests.devices import factories as f
from twinhealth.errors import ConflictError, TooLargeError

pytestmark = pytest.mark.django_db
HEAD = "device,metric,value,unit,measured_at\n"


@pytest.fixture(autouse=True)
def media(tmp_path: Path, settings: Any) -> Path:
    settings.MEDIA_ROOT = str(tmp_path)
    return tmp_path


@pytest.fixture
def machine() -> Device:
    model = f.model()
    f.metric(model, "kvp", unit="kV", plausible_low=20, plausible_high=200)
    return f.device(model, serial="S1")


def sent(text: str, **options: Any) -> ReadingImport:
    return reading_imports.receive(
        source=io.BytesIO(text.encode()), filename="r.csv", actor=f.user(), options=options
    )


def looked_through(text: str, **options: Any) -> ReadingImport:
    job = sent(text, **options)
    reading_import_work.work(import_id=job.pk)
    job.refresh_from_db()
    return job


def stored(job: ReadingImport) -> ReadingImport:
    reading_imports.store(job=job, actor=f.user())
    reading_import_work.work(import_id=job.pk)
    job.refresh_from_db()
    return job


MIXED = HEAD + (
    "S1,kvp,80,kV,2026-03-01T12:00Z\n"
    "S1,kvp,80000,V,2026-03-01T12:01Z\n"
    "S1,kvp,80,kV,2026-03-01T12:00Z\n"
    "S1,kvp,=2*40,kV,2026-03-01T12:02Z\n"
    "S1,kvp,900,kV,2026-03-01T12:03Z\n"
    "S9,kvp,80,kV,2026-03-01T12:04Z\n"
    "S1,oil,80,kV,2026-03-01T12:05Z\n"
    "S1,kvp,80,Cel,2026-03-01T12:06Z\n"
)


def test_the_dry_run_tells_each_fate_and_stores_nothing(machine: Device) -> None:
    job = looked_through(MIXED)
    assert (job.state, job.accepted, job.duplicates, job.refused) == ("checked", 2, 1, 5)
    assert not Reading.objects.exists()
    assert [(r["line"], r["fate"], r["code"]) for r in job.preview] == [
        (2, "stored", ""), (3, "stored", ""), (4, "duplicate", ""),
        (5, "refused", "not_a_number"), (6, "refused", "implausible"),
        (7, "refused", "unknown_device"), (8, "refused", "unknown_metric"),
        (9, "refused", "unit_mismatch"),
    ]  # fmt: skip
    assert [r.line for r in job.refusals.all()] == [5, 6, 7, 8, 9]


def test_then_it_is_stored_as_told(machine: Device, media: Path) -> None:
    job = looked_through(MIXED)
    assert (media / job.path).exists()
    job = stored(job)
    assert (job.state, job.accepted, job.duplicates, job.refused) == ("done", 2, 1, 5)
    assert sorted(Reading.objects.values_list("value", "source")) == [(80.0, "csv")] * 2
    assert job.refusals.count() == 5
    assert not (media / job.path).exists()
    again = looked_through(MIXED)
    assert (again.accepted, again.duplicates) == (0, 3)


def test_a_killed_worker_counts_nothing_twice(
    machine: Device, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [f"S1,kvp,80,kV,2026-03-01T12:{m:02}:{s:02}Z\n" for m in range(10) for s in range(5)]
    rows += ["S1,kvp,x,kV,2026-03-01T13:00Z\n"] * 7
    monkeypatch.setattr(reading_import_work, "MAX_READINGS", 10)
    job = looked_through(HEAD + "".join(rows))
    assert (job.accepted, job.refused, job.rows_done) == (50, 7, 57)
    reading_imports.store(job=job, actor=f.user())

    take = reading_import_work._Bite.take
    left = [3]

    def dying(self: Any, last: int, items: Any) -> bool:
        left[0] -= 1
        done: bool = take(self, last, items)
        if left[0] == 0:
            raise KeyboardInterrupt
        return done

    monkeypatch.setattr(reading_import_work._Bite, "take", dying)
    with pytest.raises(KeyboardInterrupt):
        reading_import_work.work(import_id=job.pk)
    job.refresh_from_db()
    assert (job.rows_done, job.accepted) == (30, 30)
    assert Reading.objects.count() == 30
    reading_import_work.work(import_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.accepted, job.duplicates, job.refused) == ("done", 50, 0, 7)
    assert (Reading.objects.count(), job.refusals.count()) == (50, 7)


def test_two_workers_on_one_file(machine: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    """The second finds the rows taken, and leaves."""
    monkeypatch.setattr(reading_import_work, "MAX_READINGS", 2)
    rows = "".join(f"S1,kvp,80,kV,2026-03-01T12:{m:02}Z\n" for m in range(10))
    job = looked_through(HEAD + rows)
    reading_imports.store(job=job, actor=f.user())
    take = reading_import_work._Bite.take
    raced = []

    def racing(self: Any, last: int, items: Any) -> bool:
        if not raced:
            raced.append(True)
            reading_import_work.work(import_id=job.pk)
        return bool(take(self, last, items))

    monkeypatch.setattr(reading_import_work._Bite, "take", racing)
    reading_import_work.work(import_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.accepted, job.duplicates) == ("done", 10, 0)


def test_lost_ones_are_sent_again(machine: Device, monkeypatch: pytest.MonkeyPatch) -> None:
    job = sent(HEAD + "S1,kvp,80,kV,2026-03-01T12:00Z\n")
    asked: list[int] = []
    monkeypatch.setattr("devices.tasks_imports.run_reading_import_task.delay", asked.append)
    send_lost_imports_task()
    assert asked == []
    ReadingImport.objects.update(touched_at=timezone.now() - 2 * reading_import_work.SILENT)
    send_lost_imports_task()
    assert asked == [job.pk]


def test_too_large_leaves_nothing(machine: Device, media: Path, settings: Any) -> None:
    settings.MAX_IMPORT_BYTES = 100
    with pytest.raises(TooLargeError):
        sent(HEAD + "S1,kvp,80,kV,2026-03-01T12:00Z\n" * 5)
    assert not ReadingImport.objects.exists()
    assert list(media.rglob("*.csv")) == []


def test_steps_in_their_order(machine: Device, media: Path) -> None:
    job = sent(HEAD + "S1,kvp,80,kV,2026-03-01T12:00Z\n")
    with pytest.raises(ConflictError):
        reading_imports.store(job=job, actor=f.user())
    reading_imports.discard(job=job, actor=f.user())
    with pytest.raises(ConflictError):
        reading_imports.discard(job=job, actor=f.user())
    reading_import_work.work(import_id=job.pk)
    job.refresh_from_db()
    assert (job.state, job.accepted) == ("discarded", 0)


def test_a_file_that_is_gone_is_a_failure_told(machine: Device, media: Path) -> None:
    job = sent(HEAD + "S1,kvp,80,kV,2026-03-01T12:00Z\n")
    (media / job.path).unlink()
    reading_import_work.work(import_id=job.pk)
    job.refresh_from_db()
    assert job.state == "failed"
    assert "Send it again" in job.message


def person() -> Client:
    client = Client()
    client.force_login(f.user())
    return client


def upload(text: str) -> SimpleUploadedFile:
    return SimpleUploadedFile("<b>r.csv", text.encode())


def test_pages(machine: Device) -> None:
    client = person()
    assert "No file was sent yet" in client.get("/reading-imports/").content.decode()
    answer = client.post("/reading-imports/", {"file": upload(MIXED)})
    job = ReadingImport.objects.get()
    assert answer["Location"] == f"/reading-imports/{job.pk}/"
    assert 'data-refresh="2"' in client.get(answer["Location"]).content.decode()
    reading_import_work.work(import_id=job.pk)
    part = client.get(answer["Location"], headers={"HX-Request": "true"})
    assert part["HX-Refresh"] == "true"
    text = client.get(answer["Location"]).content.decode()
    assert "&lt;b&gt;r.csv" in text
    assert "Store 2 readings" in text
    assert "unknown_metric" in text
    client.post(f"{answer['Location']}store/")
    reading_import_work.work(import_id=job.pk)
    assert Reading.objects.count() == 2
    lines = client.get(f"{answer['Location']}refused.csv")
    body = b"".join(lines.streaming_content).decode()  # type: ignore[attr-defined]
    assert body.splitlines()[1].startswith("5,kvp,not_a_number,value must be a number.,")
    wrong = client.post("/reading-imports/", {"file": upload("a,b\n1,2\n")})
    assert wrong.status_code == 400
    assert "Say which column is" in wrong.content.decode()


def test_rest(machine: Device) -> None:
    client, base = person(), "/api/v1/reading-imports/"
    text = "t;kvp [kV]\n2026-03-01 12:00;80,5\n"
    options = '{"device": "S1", "columns": {"measured_at": "t"}, "zone": "Europe/Berlin"}'
    made = client.post(base, {"file": upload(text), "options": options})
    assert made.status_code == 201, made.content
    job = made.json()
    assert job["dialect"]["decimal"] == ","
    reading_import_work.work(import_id=job["id"])
    seen = client.get(f"{base}{job['id']}/").json()
    assert (seen["state"], seen["accepted"], len(seen["preview"])) == ("checked", 1, 1)
    assert client.post(f"{base}{job['id']}/store/").json()["state"] == "storing"
    assert client.post(f"{base}{job['id']}/store/").status_code == 409
    reading_import_work.work(import_id=job["id"])
    assert Reading.objects.get().measured_at.isoformat() == "2026-03-01T11:00:00+00:00"
    assert client.get(base).json()["count"] == 1
    assert client.get(f"{base}{job['id']}/refused/").status_code == 200
    assert client.post(base, {}).json()["code"] == "file_missing"
    bad = client.post(base, {"file": upload(text), "options": '{"path": "x"}'})
    assert bad.json()["code"] == "unknown_dialect"


def test_the_command(machine: Device, tmp_path: Path, capsys: Any) -> None:
    user = f.user()
    path = tmp_path / "mine.csv"
    path.write_text(HEAD + "S1,kvp,80,kV,2026-03-01T12:00Z\n")
    call_command("import_readings", str(path), by=user.username)
    assert "1 would be stored" in capsys.readouterr().out
    assert not Reading.objects.exists()
    call_command("import_readings", str(path), by=user.username, store=True)
    assert Reading.objects.count() == 1
    path.write_text(MIXED)
    with pytest.raises(CommandError):
        call_command("import_readings", str(path), by=user.username, store=True)
    assert "line 5: not_a_number" in capsys.readouterr().out
