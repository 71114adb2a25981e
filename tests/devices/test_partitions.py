"""Readings by month: partitions come by themselves, stray rows move, an upgrade keeps every row."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from devices.models import (
    Device,
    Metric,
    Reading,
    Reading5Min,
    ReadingDay,
    ReadingHour,
    ReadingLatest,
)
from devices.months import following
from devices.selectors.partitions import DEFAULT, listed
from devices.services import partitions
from devices.services.events import rebuild
from devices.services.readings import ReadingIn, record_readings
from devices.services.rollups import rebuild_rollups
from tests.devices import factories as f

pytestmark = pytest.mark.django_db
BEFORE = ("devices", "0003_device_key")
postgres_only = pytest.mark.skipif(
    connection.vendor != "postgresql", reason="SQLite keeps a plain table"
)


def where() -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tableoid::regclass::text FROM devices_reading")
        return {row[0] for row in cursor.fetchall()}


def insert_checked(fields: dict[str, Any]) -> None:
    with transaction.atomic():
        Reading.objects.create(**fields)
        connection.check_constraints()


def device_with(*moments: datetime) -> tuple[Device, Metric]:
    device, noise, _ = f.watched_device()
    items = [ReadingIn("noise", n, "1", at) for n, at in enumerate(moments)]
    assert record_readings(device=device, items=items, source="rest").accepted == len(items)
    return device, noise


@postgres_only
def test_stray_readings_move_and_a_second_call_makes_nothing() -> None:
    old, older = datetime(2019, 5, 31, 23, 59, tzinfo=UTC), datetime(2019, 6, 1, tzinfo=UTC)
    device, _ = device_with(old, older)
    rows = set(Reading.objects.values_list())
    assert where() == {DEFAULT}
    out = StringIO()
    call_command("make_partitions", stdout=out)
    assert out.getvalue().strip() == "2019-05, 2019-06"
    assert where() == {"devices_reading_2019_05", "devices_reading_2019_06"}
    assert set(Reading.objects.values_list()) == rows
    assert partitions.make(now=timezone.now()) == []
    # counted once still, and the same row is found in its new place
    again = record_readings(device=device, items=[ReadingIn("noise", 9, "1", old)], source="rest")
    assert (again.accepted, again.duplicates) == (0, 1)


@postgres_only
def test_the_coming_months_are_there_ahead() -> None:
    now = timezone.now()
    month = now.date().replace(day=1)
    for _ in range(partitions.AHEAD + 1):
        assert month in listed()
        month = following(month)
    later = now + timedelta(days=70)
    assert len(partitions.make(now=later)) == 2 + (later.month - now.month) % 12 - 2
    device_with(now)
    assert where() == {f"devices_reading_{now.astimezone(UTC):%Y_%m}"}


@postgres_only
@pytest.mark.parametrize("month", [date(2019, 5, 1), date(2026, 3, 1)])
def test_a_partition_has_all_rules_of_the_table(month: date) -> None:
    """Also one that was made apart and attached."""
    at = datetime(month.year, month.month, 5, tzinfo=UTC)
    device, noise = device_with(at)
    partitions.make(now=timezone.now())
    for fields in ({"measured_at": at}, {"measured_at": at + f.minutes(1), "device_id": 10**9}):
        made = {"device_id": device.pk, "metric": noise, "value": 1, "source": "rest", **fields}
        with pytest.raises(IntegrityError):
            insert_checked(made)
    one, two = (f.reading(device, noise, 1, at + f.minutes(n)) for n in (2, 3))
    assert two.pk > one.pk
    assert Reading.objects.get(pk=two.pk).measured_at == at + f.minutes(3)


def test_no_partitions_are_asked_of_a_plain_table() -> None:
    if connection.vendor != "postgresql":
        assert listed() == partitions.make(now=timezone.now()) == []


@pytest.mark.timeout(1200)  # all rooms go back and come again; half of it would spoil what follows
@pytest.mark.django_db(transaction=True)
def test_an_upgrade_keeps_every_reading_and_adds_them_up() -> None:
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    device, noise = device_with(
        *(datetime(2026, 1, 30, 22, tzinfo=UTC) + timedelta(hours=7 * n) for n in range(30)),
        datetime(2001, 9, 9, tzinfo=UTC),
    )
    rows = sorted(Reading.objects.values_list())
    rolled = {
        model: sorted(model.objects.order_by().values_list("n", "low", "high", "last_at"))
        for model in (Reading5Min, ReadingHour, ReadingDay)
    }
    latest = list(ReadingLatest.objects.values_list())
    try:
        MigrationExecutor(connection).migrate([BEFORE])
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM devices_reading")
            assert cursor.fetchone()[0] == len(rows)
        assert "devices_readinglatest" not in connection.introspection.table_names()
    finally:
        MigrationExecutor(connection).migrate(newest)
    assert sorted(Reading.objects.values_list()) == rows
    for model, expected in rolled.items():
        found = model.objects.order_by().values_list("n", "low", "high", "last_at")
        assert sorted(found) == expected
    assert list(ReadingLatest.objects.values_list()) == latest
    assert rebuild_rollups(device=device, repair=False)
    assert rebuild(device=device, repair=False)
    if connection.vendor == "postgresql":
        assert listed()[0] == date(2001, 9, 1)
        assert DEFAULT not in where()
    assert f.reading(device, noise, 1, f.NOW).pk > max(row[0] for row in rows)
    for month in listed():  # the other tests' database has none of the past
        if month < timezone.now().date().replace(day=1):
            partitions.drop(month)


def test_beat_makes_partitions(settings: Any) -> None:
    from devices.tasks import make_partitions_task

    assert "devices.tasks.make_partitions_task" in {
        entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()
    }
    make_partitions_task()
