"""Migration 0024: the outbox takes letters; what it held stays as it was, there and back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from devices.models import Notification
from devices.services import outbox
from tests.devices import factories as f
from tests.devices.alert_bench import Ward, subscribe, webhook

BEFORE = ("devices", "0023_downtimes_apart")
COLUMNS = ("key", "alert_id", "number", "news", "severity", "text", "channel", "user_id", "state")


def kept() -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join(COLUMNS)} FROM devices_notification ORDER BY id")
        return [tuple(str(value).replace("-", "") for value in row) for row in cursor.fetchall()]


@pytest.mark.timeout(1200)  # all rooms go back and come again; half of it would spoil what follows
@pytest.mark.django_db(transaction=True)
def test_an_upgrade_keeps_every_message() -> None:
    newest = MigrationExecutor(connection).loader.graph.leaf_nodes()
    subscribe(email=True)
    hook, _ = webhook("https://example.org/hook")
    ward = Ward(2)
    ward.feed(ward.machines[0], 11)
    outbox.send_test(webhook=hook, actor=ward.person)
    before = kept()
    assert len(before) == 4
    try:
        MigrationExecutor(connection).migrate([BEFORE])
        assert kept() == before
    finally:
        MigrationExecutor(connection).migrate(newest)
    assert kept() == before
    assert set(Notification.objects.values_list("letter", "occasion", "dropped_because")) == {
        ("", "", "")
    }
    ward.feed(ward.machines[1], 11)
    assert Notification.objects.count() == 7


@pytest.mark.django_db
def test_the_database_takes_a_letter_once_and_no_half_of_one() -> None:
    user, now = f.user(), timezone.now()
    post = outbox.Post(
        user_id=user.pk, letter="notice", occasion="one", text="x", path="/", due_at=now
    )
    outbox.post([post], now)
    with pytest.raises(IntegrityError), transaction.atomic():
        outbox.post([post], now + timedelta(days=1))
    row = Notification.objects.get()
    for bad in ({"letter": ""}, {"occasion": ""}, {"news": "opened"}, {"channel": "in_app"}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Notification.objects.filter(pk=row.pk).update(**bad)
